"""Where a fork looks for packages: where a Python would that starts now, not when this one did."""

import os
import site
import sys


def package_folders() -> "dict[str, int]":
    """Folders that packages are installed in, and when each was changed; 0 if it is not there."""
    folders = list(site.getsitepackages()) if hasattr(site, "getsitepackages") else []
    if site.ENABLE_USER_SITE:
        folders.insert(0, site.getusersitepackages())
    return {folder: _changed(folder) for folder in folders}


def renew_paths(before: "dict[str, int]") -> None:
    """Look there anew if something was installed since `before`: a first package makes its folder,
    and some come with a .pth file."""
    folders = package_folders()
    if folders == before:
        return
    old = list(sys.path)
    found = [old.index(folder) for folder in folders if folder in old]
    del sys.path[min(found, default=len(old)) :]
    for folder, changed in folders.items():
        if changed:
            site.addsitedir(folder)
    sys.path += [path for path in old if path not in sys.path]


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0
