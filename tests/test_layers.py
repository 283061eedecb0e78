"""Arrows point down only, and each foreign library has one home."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "qga_cli"
FLOORS = {
    "errors": 0, "spec": 0, "shape": 0, "format": 0, "wire": 0, "interrupt": 0, "openssh": 0,
    "commands": 1, "catalog": 1,
    "transports": 2,
    "agent": 3, "refusal": 3, "config": 3, "config_file": 3, "guard": 3, "audit": 3,
    "hostpath": 3,
    "guests": 3.1, "job": 3.2, "exec": 3.3, "terminal": 3.3,
    "render": 4,
    "cli": 5, "gen": 5, "__main__": 5,
}  # fmt: skip
LIBRARY = 3.4  # every other module: what is built of all these
HOMES = {"typer": "cli", "rich": "render", "libvirt": "transports", "libvirt_qemu": "transports"}
FILES = sorted(ROOT.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every imported module, and whether it is imported for types only."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in typing_only
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) in typing_only
            for alias in node.names:
                if (ROOT.parent / node.module.replace(".", "/") / f"{alias.name}.py").exists():
                    yield f"{node.module}.{alias.name}", id(node) in typing_only


def floor(module: str) -> float:
    part = [*module.split("."), ""][1]
    return FLOORS.get(part, LIBRARY if part else 0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    own = ".".join(("qga_cli", *path.relative_to(ROOT).with_suffix("").parts))
    for module, typing_only in imports(path):
        if module.startswith("qga_cli") and not typing_only and own != "qga_cli.__init__":
            assert floor(module) <= floor(own), f"{own} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_foreign_libraries_stay_at_home(path: Path) -> None:
    home = path.relative_to(ROOT).parts[0]
    for module, typing_only in imports(path):
        owner = HOMES.get(module.split(".")[0])
        assert typing_only or owner in (None, home), f"{path} imports {module}"
