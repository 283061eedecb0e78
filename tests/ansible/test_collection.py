"""The collection as an archive: built, and held against what Ansible asks of collections."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qga_cli import __version__
from tests import REPO

COLLECTION = REPO / "ansible_collections" / "qga" / "guest"
RELEASE = COLLECTION / "plugins" / "plugin_utils" / "release.py"
BIN = Path(sys.executable).parent
# Those of `ansible-test sanity` that download nothing.
OFFLINE = """
    action-plugin-docs compile empty-init ignores line-endings no-assert no-get-exception
    no-illegal-filenames no-smart-quotes replace-urlopen shebang symlinks use-argspec-type-path
""".split()


def run(folder: Path, program: str, *words: str) -> str:
    ran = subprocess.run(
        [sys.executable, BIN / program, *words], cwd=folder, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=300, check=False,
        env={**os.environ, "HOME": str(folder), "ANSIBLE_HOME": str(folder / "home"),
             "ANSIBLE_COLLECTIONS_PATH": str(COLLECTION.parent.parent.parent),
             "LC_ALL": "C.UTF-8", "PATH": f"{BIN}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


@pytest.mark.slow
def test_the_archive_is_sane(tmp_path: Path) -> None:
    run(tmp_path, "ansible-galaxy", "collection", "build", str(COLLECTION))
    (archive,) = tmp_path.glob("qga-guest-*.tar.gz")
    place = tmp_path / "ansible_collections" / "qga" / "guest"
    place.mkdir(parents=True)
    unpacked = subprocess.run(["tar", "-xvzf", archive, "-C", place], stdout=subprocess.PIPE)
    names = unpacked.stdout.decode().split()
    assert "plugins/connection/agent.py" in names
    assert not [name for name in names if "__pycache__" in name]
    chosen = [word for test in OFFLINE for word in ("--test", test)]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    run(place, "ansible-test", "sanity", "--python", version, *chosen)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("connection", "qga.guest.agent", "ansible_qga_persist"),
        ("inventory", "qga.guest.guests", "keyed_groups"),
        ("module", "qga.guest.freeze", "mountpoints"),
    ],
)
def test_documentation_is_readable(tmp_path: Path, kind: str, name: str, said: str) -> None:
    assert said in run(tmp_path, "ansible-doc", "-t", kind, name)


def test_it_is_of_qga_s_release() -> None:
    told = (COLLECTION / "galaxy.yml").read_text()
    assert f"\nversion: {__version__}\n" in told
    assert f'RELEASE = "{__version__}"\n' in RELEASE.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "begin"),
    [
        (["-c", "qga.guest.agent", "-i", "vm,", "all", "-m", "ping"], "vm | FAILED! => {"),
        (["-i", "a.qga.yml", "all", "--list-hosts"], "[WARNING]: "),
    ],
)
def test_another_release_of_qga_is_told(tmp_path: Path, words: list[str], begin: str) -> None:
    """The plugins use what is inside the package: an odd pair fails somewhere, or worse, not."""
    place = tmp_path / "ansible_collections" / "qga" / "guest"
    shutil.copytree(COLLECTION, place)
    file = place / RELEASE.relative_to(COLLECTION)
    file.write_text(file.read_text().replace(f'"{__version__}"', '"0.0.1"'))
    (tmp_path / "a.qga.yml").write_text("plugin: qga.guest.guests\n")
    ran = subprocess.run(
        [sys.executable, BIN / "ansible", *words], cwd=tmp_path, text=True, timeout=60,
        capture_output=True, check=False,
        env={**os.environ, "HOME": str(tmp_path), "ANSIBLE_HOME": str(tmp_path / "home"),
             "ANSIBLE_COLLECTIONS_PATH": str(tmp_path), "COLUMNS": "1000"},
    )  # fmt: skip
    said = ran.stdout + ran.stderr
    why = f"this collection is of qga 0.0.1, and this Python has {__version__}:"
    assert begin in said
    fix = f"install qga-cli 0.0.1 into this Python ({sys.executable})"
    assert f"{why} {fix}" in " ".join(said.split())
