"""Arrows point down only, and each foreign library has one home."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests import REPO

ROOT = REPO / "qga_cli"
ARCHITECTURE = REPO / "docs" / "architecture.md"
# From the ground up: a folder, or a file beside the folders, imports from lower floors only.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("threads",),
    (
        "errors",
        "spec",
        "format",
        "interrupt",
        "openssh",
        "outlet",
        "survivor",
        "inside",
        "inside/network",
        "inside/tasks",
        "inside/terminal",
    ),
    ("shape", "wire", "hostpath", "private", "catalog"),
    ("commands", "transports", "config"),
    ("agent", "policy"),
    ("guests", "channel"),
    ("verbs",),
    ("exec", "terminal", "windows"),
    ("files/guest", "freeze"),
    ("files/copy_file", "health", "network"),
    ("files/copy_tree", "metrics"),
    ("files", "render"),
    ("library",),
    ("cli",),
    ("gen",),
    ("__main__",),
)
# Folders of one floor that import one another. A program with a terminal is one more way to run a
# program, and so is one in a Windows guest, in terms of what exec has: `exec` only dispatches up.
TOGETHER = frozenset({"exec", "terminal", "windows"})
HOMES = {"typer": "cli", "rich": "render", "libvirt": "transports", "libvirtmod": "transports",
         "prometheus_client": "metrics"}  # fmt: skip
FILES = sorted(ROOT.rglob("*.py"))
# Files that import one another, and why that is borne. A circle that is not listed fails.
CIRCLES = {
    # The package's door opens what a URI names, and each transport is of the protocol that stands
    # in the same file: the door imports the one it opens, when it opens it.
    frozenset(
        {
            "qga_cli.transports",
            "qga_cli.transports.libvirt",
            "qga_cli.transports.pve",
            "qga_cli.transports.unix",
            "qga_cli.transports.vsock",
        }
    ),
}  # fmt: skip


def for_types(tree: ast.Module) -> set[int]:
    """The nodes below `if TYPE_CHECKING`."""
    return {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every imported module, and whether it is imported for types only."""
    tree = ast.parse(path.read_text())
    typing_only = for_types(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in typing_only
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) in typing_only
            for alias in node.names:
                if (ROOT.parent / node.module.replace(".", "/") / f"{alias.name}.py").exists():
                    yield f"{node.module}.{alias.name}", id(node) in typing_only


def room(module: str) -> str:
    """The folder of FLOORS that a module is in; its own name for a file beside the folders."""
    parts = module.split(".")[1:]
    if not (ROOT / "/".join(parts)).is_dir():
        parts = parts[:-1] or parts
    return parts[0] if parts[:1] == ["commands"] else "/".join(parts)


def floor(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def test_each_room_has_one_floor() -> None:
    listed = [one for rooms in FLOORS for one in rooms]
    assert sorted(listed) == sorted({room(name(path)) for path in FILES} - {""})


def test_the_docs_have_each_room_on_its_floor() -> None:
    table = re.findall(r"^\| (\d+) \| (.*?) \|", ARCHITECTURE.read_text(), re.MULTILINE)
    shown = {
        room.rstrip("/"): int(number)
        for number, rooms in table
        for names in re.findall("`([^`]+)`", rooms)
        for room in names.split()
    }
    known = {room: number for number, rooms in enumerate(FLOORS, 1) for room in rooms}
    inner = ("inside/network", "inside/tasks", "inside/terminal", "__main__")
    assert shown == {room: number for room, number in known.items() if room not in inner}


def points_down(own: str, other: str) -> bool:
    """Whether a file in the room `own` may import one in `other`."""
    free = not own or not other or own == other or {own, other} <= TOGETHER
    return free or floor(other) < floor(own)


def test_imports_point_down() -> None:
    found = [(file, module) for file, modules in arrows().items() for module in modules]
    assert not [
        f"{file} imports {module}"
        for file, module in found
        if not points_down(room(file), room(module))
    ]
    assert not points_down("agent", "cli")
    assert points_down("cli", "agent")


def test_foreign_libraries_stay_at_home() -> None:
    seen = set()
    for path in FILES:
        home = path.relative_to(ROOT).parts[0]
        for module, typing_only in imports(path):
            owner = HOMES.get(module.split(".")[0])
            assert typing_only or owner in (None, home), f"{path} imports {module}"
            seen |= set() if typing_only else {owner}
    assert {"cli", "metrics", "render"} <= seen  # libvirt's is loaded by its path


def test_every_module_loads_by_itself() -> None:
    """A name that is imported for types only in one file is not there for another."""
    text = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    modules = [name(path) for path in FILES if path.name != "__main__.py"]
    subprocess.run([sys.executable, "-c", text, *modules], check=True)


def name(path: Path) -> str:
    """A file's module."""
    return ".".join(("qga_cli", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    )


@cache
def arrows() -> dict[str, set[str]]:
    """Which file imports which, at its top or on its way; imports for types alone do not count."""
    found: dict[str, set[str]] = {name(path): set() for path in FILES}
    for path in FILES:
        tree = ast.parse(path.read_text())
        typing_only = for_types(tree)
        for node in ast.walk(tree):
            if id(node) in typing_only:
                continue
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = [f"{node.module}.{alias.name}" for alias in node.names]
                targets = [one if one in found else node.module for one in inner]
            else:
                continue
            found[name(path)] |= {one for one in targets if one in found}
    return found


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The sets of files of which each reaches each other one."""
    reach = {start: set(graph[start]) for start in graph}
    grown = True
    while grown:
        grown = False
        for seen in reach.values():
            more = set().union(*(graph[one] for one in seen)) - seen if seen else set()
            if more:
                seen |= more
                grown = True
    return {
        frozenset(other for other in reach[start] if start in reach[other])
        for start in graph
        if start in reach[start]
    }


def test_no_circle_between_files() -> None:
    assert circles(arrows()) == CIRCLES


def test_a_circle_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set[str]()}
    assert circles(graph) == {frozenset({"b", "c"})}


def test_no_class_name_twice() -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                homes[node.name].add(name(path))
    assert not {one: where for one, where in homes.items() if len(where) > 1}


def test_annotations_have_no_quotes() -> None:
    quoted: set[str] = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            annotation = getattr(node, "returns", None) or getattr(node, "annotation", None)
            words = ast.walk(annotation) if isinstance(annotation, ast.AST) else ()
            if any(
                isinstance(word, ast.Constant) and isinstance(word.value, str) for word in words
            ):
                quoted.add(name(path))
    # Guests run `inside`, Python 3.6 among them; help() shows the types of `library`.
    assert {one for one in quoted if ".inside." not in one} == {"qga_cli.library"}
