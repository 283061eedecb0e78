"""What guests tell about themselves, as figures: for Prometheus, and for `qga top`."""
