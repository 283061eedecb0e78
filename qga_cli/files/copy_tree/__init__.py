"""A folder copied with all that is in it, as one tar stream."""
