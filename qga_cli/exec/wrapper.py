"""The exit codes of the scripts in inside/exec/, which run around a program in the guest.

They are constants: pids, marks and signals of ours come as $1, $2 ..., what the user gave comes
quoted on standard input, what the guest says never becomes code.
"""

# Exit codes of the wrapper when it has not started the program; the end mark is missing then.
CONTEXT, CANNOT, NOT_EXECUTABLE, NOT_FOUND = 96, 97, 126, 127
# The keeper's: the wrapper has been faster.
TOO_LATE = 99
# Bytes of input-data that no Windows agent can hang on. glib's channel writes to a pipe of 4096
# bytes through a ring of 4095, and when both are full the agent waits for the program to read,
# for ever (buffer_write in glib/giowin32.c, the same in 2.74 and 2.84): 8191 pass, 8192 do not.
SAFE_INPUT = 4000
