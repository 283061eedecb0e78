"""What one fork has compiled and loaded, for those that come after it.

Each script of Ansible's brings the same hundred modules in a zip of its own, and compiling them
costs more than all else. So a fork tells at its end what it has compiled, by source, and which
modules of the standard library it has loaded; later forks find both done. Nothing of what a script
itself has made stays: only code of equal source, and Python's own modules.
"""

import atexit
import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def remember(known: "dict[bytes, Any]", report: int) -> None:
    """In a fork: compile no source of a zip that was compiled before; tell at the end what was."""
    import zipimport

    new: dict[bytes, Any] = {}
    once: dict[Any, Any] = {}  # what one module was read for, and is asked for again
    compiled = getattr(zipimport, "_compile_source", None)  # both are in C before Python 3.8
    read = getattr(zipimport, "_get_module_code", None)

    def compile_source(path: str, source: bytes) -> "Any":
        code = known.get(source)
        if code is None and compiled:
            code = new[source] = compiled(path, source)
        return code

    def get_module_code(zip: "Any", name: str) -> "Any":
        # Asked for twice: for the file's name, and to run it (zipimporter.get_filename, get_code).
        module = zip.archive, zip.prefix, name
        found = once.pop(module, None)
        if found is None and read:
            found = once[module] = read(zip, name)
        return found

    if compiled and read:
        zipimport._compile_source = compile_source  # type: ignore[attr-defined]
        zipimport._get_module_code = get_module_code  # type: ignore[attr-defined]
    before = set(sys.modules)
    process = os.getpid()

    def tell() -> None:
        if os.getpid() != process:
            return  # forked off by the script
        own = os.path.dirname(os.__file__) + os.sep
        modules = []
        for name in set(sys.modules) - before:
            origin = getattr(getattr(sys.modules[name], "__spec__", None), "origin", None) or ""
            packaged = "-packages" in origin[len(own) :]
            if (origin.startswith(own) and not packaged) or origin in ("built-in", "frozen"):
                modules.append(name)
        try:
            with os.fdopen(report, "wb") as file:
                marshal.dump((new, modules), file)
        except OSError:
            return

    atexit.register(tell)  # the first to register is called last
