"""What the built package holds, and what it does where something is missing."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from qga_cli import catalog
from qga_cli.errors import Unreachable
from qga_cli.gen.completion import SHELLS
from qga_cli.gen.man import page_name
from qga_cli.transports import libvirt_binding
from tests import REPO

BIN = Path(sys.executable).parent
WITHOUT_LIBVIRT = (
    "import sys; sys.modules['libvirtmod'] = None\n"
    "from qga_cli.cli.main import main; main(sys.argv[1:])"
)
ONLY_FOR_MAKE_GEN = ("__main__", "man", "reference", "roff")
SHARED = {
    "share/bash-completion/completions/qga": f"completions/{SHELLS['bash']}",
    "share/zsh/site-functions/_qga": f"completions/{SHELLS['zsh']}",
    "share/fish/vendor_completions.d/qga.fish": f"completions/{SHELLS['fish']}",
    "share/man/man7/qga-targets.7": "man/man7/qga-targets.7",
    **{f"share/qga/prometheus/{name}": f"packaging/prometheus/{name}"
       for name in ("alerts.yml", "dashboard.json", "qga-exporter.service")},
    **{f"share/man/man1/{page_name(command)}.1": f"man/man1/{page_name(command)}.1"
       for command in catalog.walk()},
}  # fmt: skip


def build(kind: str, folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder],
        cwd=REPO, check=True, capture_output=True,
    )  # fmt: skip
    (package,) = folder.iterdir()
    return package


def without_libvirt(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", WITHOUT_LIBVIRT, *words]
    return subprocess.run(argv, capture_output=True, text=True)


def test_the_wheel_has_pages_and_scripts_where_they_are_looked_for(tmp_path: Path) -> None:
    with zipfile.ZipFile(build("wheel", tmp_path)) as wheel:
        names = {name.partition(".data/data/")[2]: name for name in wheel.namelist()}
        for place, source in SHARED.items():
            assert wheel.read(names[place]) == (REPO / source).read_bytes(), place
        inside = {name for name in wheel.namelist() if name.startswith("qga_cli/")}
    sources = {str(path.relative_to(REPO)) for path in (REPO / "qga_cli").rglob("*.py")}
    collection = REPO / "ansible_collections"
    for path in filter(Path.is_file, collection.rglob("*.*")):
        if "__pycache__" not in path.parts:
            assert str(path.relative_to(REPO)) in wheel.namelist()
    needed = sources - {f"qga_cli/gen/{name}.py" for name in ONLY_FOR_MAKE_GEN}
    assert needed | {"qga_cli/py.typed", "qga_cli/gen/engine.bash"} <= inside
    assert {name for name in inside if name.endswith(".py")} == needed
    assert not [name for name in inside if "__pycache__" in name]


@pytest.mark.slow
def test_an_installed_wheel_prints_its_completion(tmp_path: Path) -> None:
    with zipfile.ZipFile(build("wheel", tmp_path)) as wheel:
        wheel.extractall(tmp_path / "site")
    for shell, name in SHELLS.items():
        argv = [sys.executable, "-m", "qga_cli", "completion", shell]
        done = subprocess.run(argv, capture_output=True, cwd=tmp_path / "site")
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == (REPO / "completions" / name).read_bytes()


@pytest.mark.slow
def test_an_installed_wheel_is_a_collection_for_ansible(tmp_path: Path) -> None:
    """By its full name, beside ansible-core, without any setting; and galaxy's archive builds."""
    with zipfile.ZipFile(build("wheel", tmp_path)) as wheel:
        wheel.extractall(tmp_path / "site")
    for kind, name in (("connection", "agent"), ("inventory", "guests"), ("module", "freeze")):
        argv = [sys.executable, "-P", str(BIN / "ansible-doc"), "-t", kind, f"qga.guest.{name}"]
        done = subprocess.run(
            argv, capture_output=True, text=True, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert str(tmp_path / "site") in done.stdout
    galaxy = [sys.executable, str(BIN / "ansible-galaxy"), "collection", "build"]
    argv = [*galaxy, str(REPO / "ansible_collections/qga/guest"), "--output-path", str(tmp_path)]
    subprocess.run(argv, check=True, capture_output=True, env={**os.environ, "HOME": str(tmp_path)})
    with tarfile.open(next(tmp_path.glob("qga-guest-*.tar.gz"))) as archive:
        assert "plugins/connection/agent.py" in archive.getnames()


TOP = """
    .ci .github .gitignore .pre-commit-config.yaml CHANGELOG.md CONTRIBUTING.md LICENSE Makefile
    README.md SECURITY.md ansible_collections bench completions docs man packaging pyproject.toml
    qga_cli tests
""".split()


def test_nothing_else_lies_at_the_top() -> None:
    """A file of somebody's, beside the project's, was committed with it."""
    told = subprocess.run(
        ["git", "ls-files"], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout
    assert sorted({name.partition("/")[0] for name in told.splitlines()}) == sorted(TOP)


def test_the_oldest_are_the_lowest_that_the_project_allows() -> None:
    """`make test-oldest` installs each of pyproject.toml's lower bounds, and no other."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    extra = project["optional-dependencies"]
    bounds = [*project["dependencies"], *extra["libvirt"], *extra["exporter"]]
    bounds += [one for one in extra["dev"] if one.startswith("ansible-core")]
    script = (REPO / "packaging/test-oldest.sh").read_text()
    installed = dict(re.findall(r"(\S+)==([\d.]+)", script))
    click = installed.pop("click")  # ours by Typer, whose own bound is wider
    assert click == "8.1.3"
    names = [one.partition(">=")[0] for one in bounds]
    assert sorted(installed) == sorted(names)
    for name, _, lowest in (one.partition(">=") for one in bounds):
        assert re.fullmatch(rf"{re.escape(lowest)}(\.\d+)*", installed[name]), name


@pytest.mark.slow
def test_the_source_package_can_be_tested(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path)) as package:
        names = {name.partition("/")[2] for name in package.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "Makefile", "tests/conftest.py"} <= names
    assert set(SHARED.values()) <= names


def test_without_libvirt_one_line_names_the_package() -> None:
    ran = without_libvirt("-c", "qemu:///system", "ping", "web1")
    assert ran.returncode == 3
    message, hint = ran.stderr.splitlines()
    assert message.startswith("qga: web1: libvirt's Python binding is missing")
    assert "python3-libvirt" in hint


@pytest.mark.parametrize(
    ("system", "typed"),
    [
        ("ID=debian", "apt install python3-libvirt"),
        ("ID=ubuntu\nID_LIKE=debian", "apt install python3-libvirt"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "dnf install python3-libvirt"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"', "zypper install python3-libvirt-python"),
        ("ID=arch", "pacman -S libvirt-python"),
        ("ID=alpine", "apk add py3-libvirt"),
        ("ID=plan9", "your system's libvirt binding"),
    ],
)
def test_what_to_type_for_libvirt_is_this_systems(
    system: str, typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "os-release").write_text(f"NAME=x\n{system}\n")
    monkeypatch.setattr(libvirt_binding, "_OS_RELEASE", str(tmp_path / "os-release"))
    monkeypatch.setattr(libvirt_binding, "_folders", list)
    monkeypatch.delitem(sys.modules, "libvirtmod", raising=False)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(Unreachable) as raised:
        libvirt_binding.load()
    assert typed in raised.value.hint


def test_an_environment_without_libvirt_takes_the_systems(tmp_path: Path) -> None:
    """As with pipx: an environment that has not been given the system's packages."""
    binding = Path(libvirt_home())
    script = (
        "import sys\n"
        f"sys.path = [p for p in sys.path if p != {str(binding)!r}]\n"
        f"sys.path.insert(0, {str(REPO)!r})\n"
        "from qga_cli.transports import libvirt_binding\n"
        f"libvirt_binding._folders = lambda: ['/nonexistent', {str(binding)!r}]\n"
        "from qga_cli.cli.main import main; main(sys.argv[1:])"
    )
    words = ["-c", "test:///default", "list", "-o", "tsv", "--columns", "vm"]
    ran = subprocess.run(
        [sys.executable, "-I", "-c", script, *words], capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "vm\ntest\n"


def libvirt_home() -> str:
    """The folder of the binding that these tests run with."""
    import libvirt

    assert libvirt.__file__
    return str(Path(libvirt.__file__).parent)


@pytest.mark.parametrize("words", [("ping", "x"), ("os", "info", "x")])
def test_without_libvirt_raw_sockets_work(local_agent: str, words: tuple[str, ...]) -> None:
    assert without_libvirt("-c", local_agent, *words).returncode == 0


def test_no_alert_has_a_line_to_be_typed_with_a_guest_s_words() -> None:
    """A guest calls its filesystems what it likes: /$(reboot) would be run by whoever pastes it."""
    text = (REPO / "packaging/prometheus/alerts.yml").read_text()
    typed = re.findall(r"`([^`]*)`", text)
    assert any("qga exec" in line for line in typed)
    named = {label for line in typed for label in re.findall(r"\$labels\.(\w+)", line)}
    assert named == {"vm", "host"}, "which the host names"
