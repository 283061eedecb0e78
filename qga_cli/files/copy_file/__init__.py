"""One file copied: where it comes from, where it goes, and the way between."""
