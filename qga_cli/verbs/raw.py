"""Requests as the user wrote them, and replies as the agent did."""

from __future__ import annotations

import json
import re
import time

from qga_cli import catalog, hostpath, wire
from qga_cli.agent import Agent, Reply, refusal
from qga_cli.errors import NotDelivered, OutcomeUnknown, QgaError, TimedOut, UsageError
from qga_cli.format import visible
from qga_cli.spec import Command
from qga_cli.verbs.job import Finished, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, BinaryIO

_FOR_TYPES = "key=text sends text; key:=JSON a number, a list, true or false"


def raw(job: Job, *, request: str, argument: Sequence[str] = (), pretty: bool = False) -> Reply:
    """`qga raw`: one request, its reply to the letter."""
    asked = _request(request, argument)
    command = _known(asked)
    begun = time.monotonic()
    try:
        text = _exchange(job.agent, asked, command, job.timeout)
        if not text:
            job.say(0, job.agent.delivered(asked["execute"]))
        value = wire.decode(text) if text else None
    except OutcomeUnknown as error:
        if job.timeout is None or time.monotonic() - begun < job.timeout:
            raise  # the link broke before that
        raise TimedOut(f"no answer within {job.timeout:g} s: it may have run") from error
    except wire.AgentError as error:
        refused = refusal.explain(job.agent.ask, command, error.desc)
        if "Invalid parameter type" in refused.message and not refused.hint:
            refused.add(hint=_FOR_TYPES)
        raise refused from error
    if text and pretty:
        text = visible(json.dumps(json.loads(text), indent=2, ensure_ascii=False))
    return Reply(text, value)


def batch(job: Job) -> Finished:
    """`qga batch`: a reply line for each request line, at once."""
    failed = 0
    while line := _next_line(job.streams.stdin):
        if len(line) > hostpath.MOST:
            raise UsageError(f"a request is too long: at most {hostpath.MOST:,} bytes")
        if not line.strip():
            continue
        reply = _answer(job.agent, line, job.timeout)
        failed += "error" in wire.parse(reply)
        reply = visible(reply) if job.streams.stdout.isatty() else reply
        job.streams.stdout.write(reply.encode("utf-8", "replace") + b"\n")
        job.streams.stdout.flush()
    return Finished(code=1 if failed else 0)


def _next_line(stdin: BinaryIO) -> bytes:
    try:
        return stdin.readline(hostpath.MOST + 1)
    except OSError as error:
        raise UsageError(f"standard input cannot be read: {error.strerror}") from error


def _answer(agent: Agent, line: bytes, timeout: float | None) -> str:
    """The reply line; errors are replies too, but for those with which no other can come."""
    request: dict[str, Any] = {}
    try:
        request = _request(line.decode(), ())
        text = _exchange(agent, request, _known(request), timeout)
        if not text:
            return _line(request, {"return": {}})
        wire.parse(text)
        return text
    except wire.AgentError as error:  # libvirt hands the agent's text on, but not the class
        gone = refusal.is_unknown(error.desc)
        return _error(request, "CommandNotFound" if gone else "GenericError", error.desc)
    except UnicodeDecodeError as error:
        return _error(request, "GenericError", f"the request is no UTF-8: {error.reason}")
    except NotDelivered:
        raise
    except QgaError as error:
        return _error(request, "GenericError", error.message)


def _exchange(
    agent: Agent, request: Mapping[str, Any], command: Command, timeout: float | None
) -> str:
    text = json.dumps(request, separators=(",", ":"))
    return agent.exchange(text, timeout or command.patience, silent=command.result is None)


def _request(text: str, words: Sequence[str]) -> dict[str, Any]:
    """The request: a wire name with arguments, or a whole JSON object."""
    text = text.strip()
    if not text.startswith("{"):
        if not re.fullmatch(r"[A-Za-z][\w-]*", text):
            raise UsageError(f"{text!r} is neither a wire name nor a JSON object")
        arguments = dict(_argument(word) for word in words)
        return {"execute": text, **({"arguments": arguments} if arguments else {})}
    if words:
        raise UsageError(
            "a request in JSON has its arguments inside",
            hint='{"execute": "...", "arguments": {...}}',
        )
    try:
        request = wire.load(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the request is not JSON: {error}") from error
    name = request.get("execute")
    if not isinstance(name, str):
        raise UsageError("the request names no command", hint='{"execute": "guest-ping"} does')
    return {"execute": name, **request}


def _argument(word: str) -> tuple[str, Any]:
    key, equals, text = word.partition("=")
    if not key.strip(":") or not equals:
        raise UsageError(f"{word!r} is no argument", hint=_FOR_TYPES)
    if not key.endswith(":"):
        return key, text
    try:
        return key[:-1], wire.load(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{key!r}: what follows := is not JSON ({error})") from error


def _known(request: Mapping[str, Any]) -> Command:
    """Our description of the command; of one that we have never heard of, as good as nothing."""
    name: str = request["execute"]
    return catalog.by_wire(name) or Command(name, "", since="", result={}, changes=True)


def _error(request: Mapping[str, Any], kind: str, desc: str) -> str:
    return _line(request, {"error": {"class": kind, "desc": desc}})


def _line(request: Mapping[str, Any], reply: dict[str, Any]) -> str:
    """A reply that the agent would have sent; the request's id comes back, as there."""
    reply |= {"id": request["id"]} if "id" in request else {}
    return json.dumps(reply, separators=(",", ":"))
