"""What runs tasks of Ansible inside the guest, sent there as text: for a whole Python from 3.6."""

# What Python is started with; its one word is the length of the text, which comes first on standard
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
FILES = ("frames", "tree", "paths", "memory", "runner")  # the text, one after the other
