"""Files of guests: copied, read, followed, listed, edited."""
