"""qga: work inside virtual machines from their host, through the QEMU guest agent."""

__version__ = "0.1.0"
__all__ = ["Completed", "Guest", "Host", "QgaError", "__version__", "connect"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qga_cli.errors import QgaError
    from qga_cli.library import Completed, Guest, Host, connect


def __getattr__(name: str) -> object:
    # The command line imports this package too, and must not pay for the library.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from qga_cli import errors, library

    return getattr(errors if name == "QgaError" else library, name)
