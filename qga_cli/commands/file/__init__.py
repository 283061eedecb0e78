"""Open files of the guest, by handle: open, read, write, seek, flush, close."""
