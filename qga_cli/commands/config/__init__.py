"""Configuration: what is set, and where."""
