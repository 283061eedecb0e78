"""Which guests the words of a fleet find, asked of all their hosts at the same time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from qga_cli.errors import NoGuest, QgaError
from qga_cli.guests.fleet import Fleet
from qga_cli.guests.targets import Selector, Target, is_glob
from qga_cli.interrupt import Interrupt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from qga_cli.transports import ListedGuest, Transport
    from qga_cli.transports.libvirt_xml import GuestFacts

    class Directory(Protocol):
        """Of a host, what finding its guests takes. See Host."""

        def guests(self) -> list[ListedGuest]: ...
        def facts(self, name: str) -> GuestFacts | None: ...
        def open(self, name: str) -> Transport: ...


_Found = list[tuple[int, Target]]  # with the place of the word that found it


def find(
    host: Callable[[str | None], Directory],
    selectors: Sequence[Selector],
    interrupt: Interrupt,
    timeout: float | None,
    *,
    state: str,
    labels: Sequence[str],
) -> list[Target]:
    """The guests that are there, in the order of their words, each once. `state` as --state and
    `labels` as --label say what they must be besides.

    `host` gives the one at a URI, and is waited for `timeout` seconds at most. One that cannot
    be asked is a target with an error, unless it is the only one: then the error is raised, as
    NoGuest always is.
    """
    asked: dict[str | None, list[tuple[int, Selector]]] = {}
    for order, selector in enumerate(selectors):
        asked.setdefault(selector.uri, []).append((order, selector))
    questions = list(asked.values())
    # What whole hosts are called where guests are named.
    stand_ins = [Target(todo[0][1].uri, "", todo[0][1].place) for todo in questions]
    fleet = Fleet(
        stand_ins,
        lambda index, _: _ask(host(stand_ins[index].uri), questions[index], state, labels),
        interrupt,
        parallel=len(questions),
        limit=timeout,
    )
    found: _Found = []
    for index, outcome in fleet.outcomes():
        error = outcome.error
        if error is None:
            found += outcome.value
        elif len(questions) == 1 or not isinstance(error, QgaError) or isinstance(error, NoGuest):
            raise error
        else:
            stand_ins[index].error = error
            found.append((questions[index][0][0], stand_ins[index]))
    each: dict[tuple[str | None, str], Target] = {}
    for _, target in sorted(found, key=lambda pair: pair[0]):
        each.setdefault((target.uri, target.name), target)
    return list(each.values())


def matching(guests: Sequence[ListedGuest], word: str, state: str = "") -> list[ListedGuest]:
    """The guests that `word` means: a glob those in `state`, else the first by name, UUID or id.

    Globs mean running guests when no state is asked for.
    """
    if is_glob(word):
        found = [guest for guest in guests if fnmatchcase(guest.name, word)]
        return [guest for guest in found if _is_in(guest, state or "running")]
    uuid = word.lower().replace("-", "")
    keys: tuple[Callable[[ListedGuest], bool], ...] = (
        lambda guest: guest.name == word,
        lambda guest: len(uuid) == 32 and guest.uuid.replace("-", "") == uuid,
        lambda guest: guest.id is not None and str(guest.id) == word,
    )
    for key in keys:
        for guest in filter(key, guests):
            return [guest] if _is_in(guest, state or "all") else []
    return []


def has_labels(labels: Mapping[str, Sequence[str]], wanted: Sequence[str]) -> bool:
    """Whether each `key=glob` of `wanted` matches one of the values under its key."""
    for word in wanted:
        key, _, pattern = word.partition("=")
        if not any(fnmatchcase(value, pattern) for value in labels.get(key, ())):
            return False
    return True


def _is_in(guest: ListedGuest, state: str) -> bool:
    """Whether a guest is in a state as --state has it; one that nobody can tell is in any."""
    if state == "all" or not guest.state:
        return True
    # "blocked" is a CPU that waits for a device; only Xen says so of a running guest
    return guest.state == state.replace("-", " ") or (state, guest.state) == ("running", "blocked")


def _ask(
    host: Directory, questions: list[tuple[int, Selector]], state: str, labels: Sequence[str]
) -> _Found:
    guests = host.guests()
    found: _Found = []
    for order, selector in questions:
        matches = matching(guests, selector.word, state)
        if not is_glob(selector.word) and not matching(guests, selector.word):
            found.append((order, _unlisted(host, selector)))
        found += [(order, selector.target(guest)) for guest in matches]
    if labels:
        found = [pair for pair in found if _has_labels(host, pair[1], labels)]
    return found


def _unlisted(host: Directory, selector: Selector) -> Target:
    """A host that cannot list its guests may know one by name all the same. Raises NoGuest."""
    host.open(selector.word).close()
    return selector.target()


def _has_labels(host: Directory, target: Target, wanted: Sequence[str]) -> bool:
    facts = host.facts(target.name)
    return facts is not None and has_labels(facts.labels, wanted)
