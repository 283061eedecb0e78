"""Which guests a command line means, and the same work on many of them."""
