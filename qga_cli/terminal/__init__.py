"""A terminal in the guest: `exec -t` and `shell`. session.py begins with the messages of it."""
