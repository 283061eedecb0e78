"""The process in a guest that holds a copy's folder and file open while this host is busy."""

from __future__ import annotations

import threading

from qga_cli.channel import HOLDER
from qga_cli.errors import QgaError, Refused
from qga_cli.files.guest.marked import MarkedScript, marked, new_mark
from qga_cli.inside import script
from qga_cli.survivor import Survivor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.files.guest.access import Access

_BEAT = 10.0  # seconds; the process ends after 45 of silence


class Holder:
    """`word` is what scripts call it: its number, a dot, when it began.

    It is root's, so its descriptors in /proc are ways that nobody else can turn. A copy may wait
    hours for its input, or compute: a thread tells the process that we live. When we are killed
    another process ends it; when this host dies, it ends within a minute.
    """

    def __init__(self, access: Access) -> None:
        self.word = ""
        self._access = access
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._mark = new_mark()
        self._guard()

    def make(self, script: str, *words: str, stdin: bytes = b"") -> bytes:
        """What a script says that starts the process, and tells its word to `begin` with."""
        try:
            return self._access.run(marked(self._mark, script), *words, stdin=stdin)
        except Refused:
            self._survivor.release()
            raise
        except BaseException:  # it may be there, or come still
            self._survivor.act()
            raise

    def begin(self, said: str) -> None:
        """It is there. Raises BadReply."""
        self._number, _, began = said.partition(".")
        if not (is_count(self._number) and is_count(began)):
            raise self._access.lie(f"the guest was asked for a process and says {said[:80]!r}")
        self.word = said
        self._tell()

    def run(self, script: str, *words: str) -> bytes:
        """What a script says that may take long: it ends where it is given up here, and with what
        it holds when we die. Raises Refused with what it says when it fails."""
        done = MarkedScript(self._access, marked(self._mark, script), *words).result()
        if done.code:
            raise self._access.failure(done)
        return done.stdout

    def path(self, descriptor: int) -> str:
        """The way to what it has open."""
        return f"/proc/{self._number}/fd/{descriptor}"

    def tell(self) -> None:
        """Let it know again that we live, after a `rest`."""
        self._guard()
        self._tell()

    def rest(self) -> None:
        """Tell it no more: before the file gets its time, and where it is not needed any longer.
        Returns when no word is under way."""
        self._over.set()
        if self._thread:
            self._thread.join()
        self._survivor.release()

    def _guard(self) -> None:
        agent = self._access.agent
        target = agent.target.from_root()
        where = [target.uri or "", target.name, *agent.transport.audit, "--"]
        self._survivor = Survivor("qga_cli.channel.reaper", [*where, HOLDER + self._mark])

    def _tell(self) -> None:
        self._over.clear()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._over.wait(_BEAT):
            try:
                self._access.finish(self._access.start(text("beat"), self.word))
            except QgaError as error:  # the copy itself meets it too, or it was nothing lasting
                self._access.agent.trace(1, f"telling the guest that we live: {error.said()}")


def text(*names: str) -> str:
    """Scripts of `inside/files` as one, each after those it needs."""
    return "".join(script(f"files/{name}") for name in ("enter", *names))


def is_count(text: str) -> bool:
    """Whether a guest's word is a number, and no longer than a size can be."""
    return text.isdecimal() and len(text) < 20
