"""Windows guests: all that is done differently there; exec and files call it."""
