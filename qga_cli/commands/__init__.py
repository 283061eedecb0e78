"""One file per command; its place here is its name on the command line."""
