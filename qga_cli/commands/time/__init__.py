"""The guest's clock: read and set."""
