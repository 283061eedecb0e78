"""Several sources of one name: in a folder, the later one would replace the earlier."""

from __future__ import annotations

from qga_cli.errors import UsageError
from qga_cli.guests.place import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def distinct(places: Sequence[Place]) -> list[Place]:
    """Each place once: two patterns may match the same file."""
    return list({(place.guest, place.path): place for place in places}.values())


def check_names(
    sources: Sequence[Place],
    target: Place,
    *,
    folds: Callable[[], bool],
    merges: Callable[[Place], bool] = lambda place: False,
) -> None:
    """Raise UsageError where two of the distinct `sources` would have one name in `target`.

    `folds` says whether large and small letters are the same there, and `merges` whether a source
    is added to what has its name, as a folder is. Both are asked only where it matters.
    """
    named = [place for place in sources if not place.is_stream and not place.is_contents]
    clashes = _clashes(named, str.casefold)
    if clashes and not folds():
        clashes = _clashes(named, str)
    for first, *others in clashes:
        if not all(map(merges, (first, *others))):
            raise UsageError(
                f"{others[0]} would replace {first}: both would be {first.name} in {target}",
                hint="give each a name or a folder of its own, one after the other",
            )


def _clashes(places: Sequence[Place], spelled: Callable[[str], str]) -> list[list[Place]]:
    groups: dict[str, list[Place]] = {}
    for place in places:
        groups.setdefault(spelled(place.name), []).append(place)
    return [group for group in groups.values() if len(group) > 1]
