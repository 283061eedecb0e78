"""The scripts that run around a program in the guest, inside/exec/, and their exit codes.

They are constants: pids, marks and signals of ours come as $1, $2 ..., what the user gave comes
quoted on standard input, what the guest says never becomes code.
"""

from qga_cli.inside import script

# Exit codes of the wrapper when it has not started the program; the end mark is missing then.
CONTEXT, CANNOT, NOT_EXECUTABLE, NOT_FOUND = 96, 97, 126, 127
# The keeper's: no place for spool files; the wrapper has been faster.
NO_ROOM, TOO_LATE = 98, 99

WRAPPER = script("exec/wrapper")
KEEPER = script("exec/keeper")
END = script("exec/end")
DETACHED = script("exec/detached")
