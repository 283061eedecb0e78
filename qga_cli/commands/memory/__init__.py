"""Memory blocks: list, switch on and off, size."""
