"""Disks: partitions, bus and serial, statistics."""
