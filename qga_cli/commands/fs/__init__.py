"""Filesystems: list, freeze, thaw, trim."""
