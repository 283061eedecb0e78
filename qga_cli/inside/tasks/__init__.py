"""What runs tasks of Ansible inside the guest, sent there as text: for a whole Python from 3.6."""

import os
import re

# What Python is started with; its one word is the length of `source`, which comes first on standard
# input: others see the words of our processes.
START = """\
import os, sys, types
size, text = int(sys.argv[1]), b""
while len(text) < size:
    text += os.read(0, size - len(text)) or sys.exit(1)
runner = types.ModuleType("qga_runner")
exec(compile(text, "qga_runner", "exec"), runner.__dict__)
script = runner.TaskRunner(0, 1).serve()
if script is not None:
    sys.argv = [""]
    code = compile(script, "<stdin>", "exec")
    del size, text, runner, script, types
    exec(code)
"""


_IMPORT = re.compile(rb"^from qga_cli\S* import .*$", re.MULTILINE)


def source() -> bytes:
    """The text of the runner: its files, one after the other."""
    text = b""
    for name in ("frames", "tree", "memory", "runner"):
        with open(os.path.join(os.path.dirname(__file__), f"{name}.py"), "rb") as file:
            text += _IMPORT.sub(b"", file.read())
    return text
