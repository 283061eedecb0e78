"""Users of the guest: who is logged in, passwords."""
