"""guest-get-users."""

from collections.abc import Mapping

from qga_cli.spec import MOMENT, SECONDS, Column, Command, Example


def _age(user: Mapping[str, float]) -> float:
    import time

    return max(0.0, time.time() - user["login-time"])


COMMAND = Command(
    "guest-get-users",
    "List who is logged in to the guest, and since when",
    since="2.10",
    result=[{"user": str, "login-time": float, "domain?": str}],
    empty="nobody is logged in, or the guest keeps no utmp: `qga exec VM -- loginctl` tells there",
    columns=[
        Column("user"),
        Column("domain", leaves=1),
        Column("login", "login-time", MOMENT),
        Column("age", _age, SECONDS, leaves=2),
    ],
    systems=["Linux", "Windows", "FreeBSD"],
    notes=(
        "One line a user, with the earliest session. `domain` is Windows' word. On Linux the agent "
        "reads utmp, which Debian 13 and others do not keep any more: it names nobody there."
    ),
    examples=[Example("qga user list '*' --sort age", "who came last")],
)
