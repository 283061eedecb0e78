"""qga completion."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Print the completion script for a shell",
    since="",
    args=[
        Arg("shell", spec.CHOICE, "The shell it is for", positional=True,
            choices=("bash", "zsh", "fish"), metavar="SHELL"),
    ],
    scope="none",
    run="gen.completion:print_completion",
    notes=(
        "The package installs the same scripts where the shells look for them; this is for an "
        "environment of its own, such as a virtual environment. TAB then completes commands, "
        "options and columns, the names of guests, and what is inside them: paths, mount points, "
        "users, programs. It never asks for a password and never waits longer than 300 ms."
    ),
    examples=[
        Example("source <(qga completion bash)", "in ~/.bashrc"),
        Example("source <(qga completion zsh)", "in ~/.zshrc, below compinit"),
        Example("qga completion fish >~/.config/fish/completions/qga.fish", "once, for fish"),
    ],
)  # fmt: skip
