"""A terminal in the guest: `exec -t` and `shell`."""
