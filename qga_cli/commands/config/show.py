"""qga config show."""

from qga_cli.spec import Column, Command, Example

COMMAND = Command(
    "",
    "Show every setting, and the file and line or the variable it comes from",
    since="",
    result=[{"setting": str, "value": str, "origin": str}],
    columns=[Column("setting"), Column("value"), Column("origin")],
    scope="none",
    run="cli.config_show:show_config",
    notes=(
        "Reads `/etc/qga/config.toml`, then `~/.config/qga/config.toml` over it, then the "
        "environment; options of a command line go before them all. A mistake in a file is named "
        "with its line. See `qga help configuration` for what the files may say."
    ),
    examples=[Example("qga config show", "why does it ask that host?")],
)
