"""Whether one file is packed on its way."""

from functools import partial

from qga_cli.files.delivery import Delivery
from qga_cli.files.landing import Landing, Outlet
from qga_cli.files.source import GuestFile, HostFile
from qga_cli.files.squeeze import SAMPLE, packs, pays_here, pays_there

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.files.source import Source
    from qga_cli.files.transfer import Target

_LARGE = 8 * 2**20  # bytes: to try how a guest packs takes as long as a few megabytes


def packed(
    source: "Source", target: "Target", wish: str, advance: "Callable[[int], None]"
) -> "Callable[[int], None] | None":
    """A function that carries the file packed from an offset on; None to carry it as it is."""
    if isinstance(source, GuestFile) and isinstance(target, (Landing, Outlet)):
        size = source.facts.size or 0

        def pays() -> bool:
            return size >= _LARGE and pays_there(source.access, 'cat -- "$1"', source.path)

        worth = packs(source.access, wish, pays) and size > 0
        return partial(source.pour, target.write, advance) if worth else None
    if not isinstance(source, HostFile) or not isinstance(target, Delivery):
        return None
    worth = packs(target.access, wish, lambda: pays_here(source.sample(SAMPLE)))
    return partial(target.fill, source, advance) if worth else None
