"""Operating system: release, host name, time zone, devices."""
