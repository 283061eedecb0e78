"""Ports of our own in a guest: plugged, found again, opened, carried, taken away."""

PREFIX = "org.qga-cli.port."  # of their names; 16 hexadecimal digits follow
COMING = "+"  # before a name that the reaper is told, of a port that may not be plugged yet
PROGRAM = "="  # before the mark of a program that the reaper ends; none: nothing to end any more
HOLDER = "@"  # before the mark of what holds a copy's files, which it ends too
