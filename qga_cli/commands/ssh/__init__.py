"""SSH keys of the guest's users: list, add, remove."""
