"""qga: work inside virtual machines from their host, through the QEMU guest agent."""

__version__ = "0.1.0"
