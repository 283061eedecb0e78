"""Properties of everything that reads a stranger's bytes or a user's words, for inputs nobody
thought of. tests/soak/fuzz.py runs them far longer; docs/reliability.md has its figures."""

import json
import socket
import threading
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qga_cli import wire
from qga_cli.errors import BadReply, QgaError, UsageError
from qga_cli.format import printable
from qga_cli.render import machine
from qga_cli.shape import check
from qga_cli.spec import Column
from qga_cli.transports.stream import StreamTransport

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
SHAPES = st.sampled_from(
    [
        {},
        int,
        ("thawed", "frozen"),
        [{"name": str, "disk": [{"bus": int}], "used-bytes?": int}],
        {"version": str, "supported_commands": [{"name": str, "enabled": bool}]},
        {"exited": bool, "exitcode?": int, "out-data?": bytes, "load?": float},
    ]
)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@example(b'{"return":' + b"[" * 5000)
@example(b'{"return": 1e999999}')
def test_any_bytes_are_a_result_or_an_error_of_ours(data: bytes) -> None:
    with suppress(QgaError):
        wire.decode(data.decode("utf-8", "replace"))


@settings(deadline=None)
@given(JSON, SHAPES)
def test_any_value_has_the_shape_or_is_a_bad_reply(value: object, shape: object) -> None:
    with suppress(BadReply):
        check(value, shape)


@pytest.mark.slow
@settings(deadline=None)
@given(st.text(min_size=1), st.dictionaries(st.text(), JSON, max_size=4))
def test_a_request_is_one_ascii_line_that_says_what_was_asked(
    name: str, arguments: dict[str, object]
) -> None:
    try:
        text = wire.encode(name, arguments)
    except UsageError:
        return  # lone surrogates: bytes that JSON cannot carry
    assert text.isascii()
    assert "\n" not in text
    request = json.loads(text)
    assert request["execute"] == name
    assert request.get("arguments", {}) == arguments


@settings(deadline=None)
@given(st.binary())
def test_base64_comes_back(data: bytes) -> None:
    assert wire.from_base64(wire.to_base64(data)) == data


@settings(deadline=None)
@given(JSON | st.text())
def test_base64_of_anything_is_bytes_or_a_bad_reply(value: object) -> None:
    with suppress(BadReply):
        assert isinstance(wire.from_base64(value), bytes)


@settings(deadline=None)
@given(st.text())
def test_printable_text_is_printable_and_plain_text_stays(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    if text.isprintable():
        assert shown == text


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({"a": JSON, "b": JSON}), max_size=5))
def test_a_row_is_a_line_whatever_is_in_it(rows: list[dict[str, object]]) -> None:
    columns = [Column("a"), Column("b")]
    lines = machine.tsv_text(columns, rows, header=True).split("\n")
    assert len(lines) == len(rows) + 2
    assert all(line.count("\t") == 1 for line in lines[:-1])


@pytest.mark.slow
@settings(deadline=None)
@given(JSON)
def test_json_is_valid_utf8_and_comes_back(value: object) -> None:
    text = machine.json_text(value)
    assert json.loads(text.encode("utf-8").decode("utf-8")) == value
    assert text.count("\n") == 1


@pytest.mark.slow
@given(
    st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line), max_size=5),
    st.lists(st.integers(1, 20), max_size=20),
)
@settings(deadline=None, max_examples=60)
def test_the_reply_is_found_behind_any_stale_lines_however_it_is_cut(
    stale: list[bytes], cuts: list[int]
) -> None:
    ours, theirs = socket.socketpair()

    def peer() -> None:
        with theirs, theirs.makefile("rb") as reader:
            token = json.loads(reader.readline()[1:])["arguments"]["id"]
            send(b"".join(line + b"\n" for line in stale) + b'\xff{"return": %d}\n' % token)
            reader.readline()
            send(b'{"return": "here"}\n')

    def send(data: bytes) -> None:
        for cut in [*cuts, len(data)]:
            if data:
                theirs.sendall(data[:cut])
                data = data[cut:]

    thread = threading.Thread(target=peer)
    thread.start()
    transport = StreamTransport(lambda timeout: ours, "test")
    try:
        assert wire.decode(transport.call('{"execute":"guest-ping"}', 5)) == "here"
    finally:
        transport.close()
        thread.join()
