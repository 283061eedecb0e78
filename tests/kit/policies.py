"""What the tests of policies share: /etc/qga/config.toml as it may be, and the audit file."""

import json
from pathlib import Path
from typing import Any

from tests.kit.fake import FakeAgent

# No variable and no option may name another file than /etc/qga/config.toml, so this does.
ENTRY = """
import sys
from qga_cli import config
config.SYSTEM = sys.argv.pop(1)
from qga_cli.cli.main import main
main()
"""


# The same, and the doctor takes the channel for missing.
BLIND = ENTRY.replace(
    "from qga_cli.cli.main",
    """from qga_cli.errors import NotConfigured
from qga_cli.health import checkup
def channel(patient):
    raise NotConfigured("no channel")
checkup.CHECKS = (checkup.host, checkup.guest, channel)
from qga_cli.cli.main""",
)

READ_ONLY = '[policy."agent*"]\nread-only = true\n'
ALLOW = '[policy."agent*"]\nallow = ["guest-get-*"]\n'
DENY = '[policy."*"]\n\n\ndeny = ["guest-exec*", "guest-set-*"]\n'


def template(agent: FakeAgent) -> str:
    """The first agent's URI by which its guest has a name: agent0."""
    return f"unix:{agent.path.parent}/{{vm}}.sock"


def vouched(agent: FakeAgent) -> str:
    """What makes that name the administrator's word, at the end of his file."""
    return f'[hosts]\nlocal = "{template(agent)}"\n'


def lines(path: Path, level: str = "call") -> list[dict[str, Any]]:
    every = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in every if line["level"] == level]


def programs(path: Path) -> list[list[str]]:
    """What was started for its user, as the calls in an audit file tell."""
    return [line["program"] for line in lines(path) if line["outcome"] == "ok" if "program" in line]
