"""Scripts that run in guests, tried here."""

import subprocess

import pytest

from qga_cli.exec.wrapper import END

GONE = "99999999"  # above the kernel's largest pid


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_walk_down_a_tree_ends_where_a_process_has_gone(shell: str) -> None:
    functions, mark, _ = END.partition("exec 2>/dev/null\n")
    assert mark
    script = (
        f'{functions} tree=; below {GONE} x; ours $$ x; ours {GONE} x && exit 9; echo "<$tree>"'
    )
    done = subprocess.run(
        [shell, "-c", f"{script} # x"], capture_output=True, text=True, timeout=20
    )
    assert done.stdout == "<>\n"
