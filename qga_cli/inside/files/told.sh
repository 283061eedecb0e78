# shellcheck shell=sh disable=SC2034  # what follows uses the variables
# Reads what prove.sh compares, two lines of standard input: of a content that can be guessed, a
# digest among our words would let others in the guest try their guesses. Before small.sh, prove.sh.
# The new file's digest, "" for none; that of what may be replaced, "absent", "" for anything.

IFS= read -r digest
IFS= read -r replaces
