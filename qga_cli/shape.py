"""What a reply must look like, written as Python literals, and the check against it.

    str, int, bool, float      themselves (an int passes for a float)
    bytes                      base64 text
    ("thawed", "frozen")       one of these words; a newer agent's new word passes too
    [shape]                    a list
    {"name": shape, "x?": …}   an object; `?` marks a member that may be missing
    None                       success sends no reply at all
    {}                         an empty object

Members we do not know are kept: a newer agent is not wrong for saying more. This replaces a
decoder library on purpose; docs/architecture.md has the start-up figures.
"""

from __future__ import annotations

from qga_cli.errors import BadReply

_NAMES = {str: "text", int: "an integer", bool: "true or false", float: "a number", bytes: "base64"}
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1  # QAPI has int64 and uint64, nothing wider


def check(value: object, shape: object, where: str = "the reply") -> None:
    """Raise BadReply, naming the member, unless `value` has `shape`."""
    if isinstance(shape, dict):
        _check_object(value, shape, where)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise _wrong(value, "a list", where)
        for index, item in enumerate(value):
            check(item, shape[0], f"{where}[{index}]")
    elif isinstance(shape, tuple):
        if not isinstance(value, str):
            raise _wrong(value, "one of " + ", ".join(shape), where)
    elif not _is_scalar(value, shape):
        raise _wrong(value, _NAMES.get(shape, "something else"), where)  # type: ignore[call-overload]


def _check_object(value: object, shape: dict[str, object], where: str) -> None:
    if not isinstance(value, dict):
        raise _wrong(value, "an object", where)
    for key, inner in shape.items():
        name = key.rstrip("?")
        if name in value:
            check(value[name], inner, name if where == "the reply" else f"{where}.{name}")
        elif name == key:
            raise BadReply(f"the agent's reply has no {name!r} in {where}")


def _is_scalar(value: object, shape: object) -> bool:
    if type(value) is int and shape in (int, float):
        return _INT_MIN <= value <= _INT_MAX
    return type(value) is (str if shape is bytes else shape)


def _wrong(value: object, wanted: str, where: str) -> BadReply:
    found = "null" if value is None else type(value).__name__
    if type(value) is int and wanted in (_NAMES[int], _NAMES[float]):
        found = "out of range"
    return BadReply(
        f"the agent's reply is malformed: {where} should be {wanted}, is {found}",
        details=repr(value)[:200],
    )
