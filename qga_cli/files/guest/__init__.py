"""Files in a guest: what they are, how they are opened, and what copies to them are called."""
