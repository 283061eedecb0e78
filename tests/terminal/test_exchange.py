"""The thread between a terminal and the guest, with a guest and a screen of each kind."""

import io
import os
import select
import struct
import threading
import time
from typing import Any, cast

import pytest

from qga_cli.agent import Agent, vigil
from qga_cli.inside.terminal import frames
from qga_cli.terminal.by_python import PythonCarrier
from qga_cli.terminal.carrier import Carrier
from qga_cli.terminal.exchange import Exchange
from tests.kit.running import GUARD


class Acknowledging(PythonCarrier):
    """Its guest shows nothing, takes 8 KiB in pieces, each said to be done with, and ends."""

    def _connect(self, device: str) -> None:
        self.arrives, self._tell = os.pipe()
        self._got, self._early = 0, False

    def _transmit(self, data: bytes) -> None:
        self._got += len(data)
        self._early = True
        os.write(self._tell, b"!")

    def _receive(self) -> bytes:
        early, self._early = self._early, False  # no guest answers while it is still told
        if early or not select.select([self.arrives], [], [], 0)[0]:
            return b""
        os.read(self.arrives, 64)
        done = frames.frame(frames.ACK, struct.pack(">Q", self._got))
        return done + (frames.frame(frames.EXIT, b"\0") if self._got > 8192 else b"")

    def close(self) -> None:
        """Nothing is open elsewhere."""
        os.close(self._tell)
        os.close(self.arrives)


def test_what_makes_room_for_more_and_shows_nothing_is_followed_at_once() -> None:
    """On ports a large paste waited two seconds for each four kilobytes, and so did the end."""
    carrier = Acknowledging(Agent(cast("Any", None), "x", print), "", (24, 80))
    exchange = Exchange(carrier, io.BytesIO())
    exchange.request(lambda: carrier.type(bytes(9000)))
    began = time.monotonic()
    exchange.start()
    exchange.wait(20)
    assert (exchange.error, carrier.code) == (None, 0)
    assert time.monotonic() - began < 1.5


def test_the_guest_hears_of_us_while_the_screen_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over a link that stood still for a minute, a session without ports was hung up."""
    monkeypatch.setattr(vigil, "_LOOK", 0.01)
    beaten = threading.Event()

    class Shown(Carrier):
        def push(self) -> bool:
            return False

        def pull(self) -> bytes:
            self.code = 0
            return b"x"

        def beat(self) -> None:
            beaten.set()

        def close(self) -> None:
            """Nothing is open."""

    class Still(io.BytesIO):
        def write(self, data: object, /) -> int:
            assert beaten.wait(GUARD)
            return 1

    exchange = Exchange(Shown(Agent(cast("Any", None), "x", print)), Still())
    exchange.start()
    exchange.wait(GUARD)
    assert (exchange.error, beaten.is_set()) == (None, True)


def test_a_link_that_is_closed_under_the_farewell_is_an_error_like_others() -> None:
    class Ended(Carrier):
        def close(self) -> None:
            raise OSError("closed")

    carrier = Ended(Agent(cast("Any", None), "x", print))
    carrier.code = 0
    exchange = Exchange(carrier, io.BytesIO())
    exchange.start()
    exchange.wait(10)
    assert str(exchange.error) == "closed"
