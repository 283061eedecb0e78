"""Random faults between qga and a real agent: `python -m tests.soak.faults --runs 200`.

Each run is one command line whose connection goes through a proxy that does one thing wrong. It
must end with a code that fits, with one clear error; then the same command must work.
"""

import argparse
import collections
import contextlib
import random
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.kit.command import Ran, qga
from tests.lab.local_agent import agent as run_agent

# What may become of a question (os hostname) and of a change (guest-exec) under each fault.
EXPECTED: dict[str, tuple[set[int], set[int]]] = {
    "none": ({0}, {0}),
    "trickle": ({0}, {0}),
    "twice": ({0}, {0}),
    "refused": ({5}, {5}),
    "cut before the agent": ({5}, {8}),
    "cut after the agent": ({5}, {8}),
    "cut in the reply": ({5}, {8}),
    "silence": ({124}, {124}),
    "garbage": ({1}, {1}),
    "binary": ({1}, {1}),
    "stale reply": ({1}, {0}),  # raw prints what comes, and checks nothing
    "no socket": ({3}, {3}),
}
QUESTION = ("os", "hostname", "x")
CHANGE = ("raw", "x", "guest-exec", "path=/bin/true")


class Proxy:
    """Between a listening socket of its own and the agent's, with one fault at a time."""

    def __init__(self, path: Path, agent: Path) -> None:
        self.fault = "none"
        self._agent = agent
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(4)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            with client:
                if self.fault != "refused":
                    self._pass(client)

    def _pass(self, client: socket.socket) -> None:
        with self._connected() as agent, contextlib.suppress(OSError):
            asked = threading.Event()
            up = threading.Thread(target=self._up, args=(client, agent, asked))
            up.start()
            try:
                while data := agent.recv(65536):
                    if not asked.is_set():
                        client.sendall(data)
                    elif not self._down(client, data):
                        break
            finally:
                for end in (client, agent):
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                up.join()

    def _up(self, client: socket.socket, agent: socket.socket, asked: threading.Event) -> None:
        with contextlib.suppress(OSError), client.makefile("rb") as lines:
            for line in lines:
                if b"guest-sync-delimited" not in line:
                    asked.set()
                    if self.fault == "cut before the agent":
                        break
                agent.sendall(line)
        with contextlib.suppress(OSError):
            agent.shutdown(socket.SHUT_RDWR)  # the client has gone, or is cut off

    def _down(self, client: socket.socket, data: bytes) -> bool:
        """Pass a reply on, or what the fault makes of it; False to hang up."""
        before = {"garbage": b"%&/(\n", "binary": b"\x80\x00\xfe\n",
                  "stale reply": b'{"return": [1]}\n'}  # fmt: skip
        if self.fault == "silence":
            return True
        if self.fault == "cut after the agent":
            return False
        if self.fault == "cut in the reply":
            client.sendall(data[: random.randrange(len(data) - 1)])
            return False
        if self.fault == "trickle":
            for byte in data:
                client.sendall(bytes([byte]))
            return True
        client.sendall(before.get(self.fault, b"") + data * (2 if self.fault == "twice" else 1))
        return True

    def _connected(self) -> socket.socket:
        """The agent, which takes a new client once it has seen the last one go."""
        agent = socket.socket(socket.AF_UNIX)
        agent.connect(str(self._agent))
        return agent


def judge(fault: str, changes: bool, ran: Ran) -> str:
    """What is wrong with how it ended; "" for nothing."""
    codes = EXPECTED[fault][changes]
    if ran.code not in codes:
        return f"code {ran.code}, not {codes}: {ran.err}"
    if "Traceback" in ran.err or "bug in qga" in ran.err or (ran.code and not ran.err):
        return ran.err or "no error"
    return ""


def run(runs: int, seed: int) -> int:
    """Do them; returns how many ended badly."""
    random.seed(seed)
    done: collections.Counter[str] = collections.Counter()
    bad = 0
    with tempfile.TemporaryDirectory() as folder, run_agent(Path(folder), "real") as agent:
        path = Path(folder) / "proxy.sock"
        proxy = Proxy(path, agent.socket)
        for number in range(runs):
            fault, changes = random.choice(list(EXPECTED)), random.random() < 0.5
            words = CHANGE if changes else QUESTION
            proxy.fault = fault
            uri = f"unix:{path}" if fault != "no socket" else f"unix:{folder}/none"
            patience = "400ms" if fault == "silence" else "10s"
            wrong = judge(fault, changes, qga("-c", uri, *words, "--timeout", patience))
            proxy.fault = "none"
            after = qga("-c", f"unix:{path}", *words, "--timeout", "10s")
            if wrong or after.code:
                bad += 1
                sys.stderr.write(f"run {number}, {fault}: {wrong or after.err}\n")
            done[fault] += 1
    for fault, count in sorted(done.items()):
        sys.stdout.write(f"{count:5} {fault}\n")
    return bad


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begun = time.monotonic()
    bad = run(options.runs, options.seed)
    seconds = time.monotonic() - begun
    sys.stdout.write(f"{options.runs} faults, seed {options.seed}: {bad} bad, {seconds:.0f} s\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
