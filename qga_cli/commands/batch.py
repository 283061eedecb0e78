"""batch: a verb for many wire commands on one connection."""

from qga_cli.spec import FOREVER, Command, Example

COMMAND = Command(
    "",
    "Send commands from standard input, one on each line",
    since="0.15.0",
    changes=True,
    patience=FOREVER,
    run="verbs.raw:batch",
    notes=(
        "A line is a request in JSON or a wire name; for each one line comes back at once, an "
        'error as {"error": ...}. A program can talk to an agent in this way over one '
        'connection. Commands without a reply, such as guest-shutdown, give {"return": {}} when '
        "no error came within 3 seconds. --timeout is that of each request. The exit code is 1 if "
        "any failed."
    ),
    examples=[
        Example("printf '%s\\n' guest-ping guest-get-time | qga batch web1", "two at once"),
        Example("qga batch web1 <requests.jsonl >replies.jsonl", "many"),
    ],
)
