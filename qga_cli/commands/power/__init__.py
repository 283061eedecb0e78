"""Power: shut down, reboot, suspend."""
