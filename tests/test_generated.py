"""What is derived from the records is up to date, and the tools that read it are content."""

import re
import subprocess
from pathlib import Path

import pytest

from qga_cli import catalog, errors
from qga_cli.cli import manual
from qga_cli.gen import __main__ as gen
from qga_cli.gen import man
from qga_cli.gen.completion import SHELLS

PAGES = sorted((gen.ROOT / "man").glob("man?/*"))


def test_everything_derived_is_up_to_date() -> None:
    stale = [str(path.relative_to(gen.ROOT)) for path in gen.stale()]
    assert stale == [], "`make gen` writes them"


def test_the_table_of_commands_has_one_home() -> None:
    assert "| `qga ping VM` |" in (gen.ROOT / "docs/commands.md").read_text()
    assert "| `qga ping VM` |" not in (gen.ROOT / "README.md").read_text()


def test_a_stale_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gen, "files", lambda: {tmp_path / "page.1": "fresh"})
    assert tmp_path / "page.1" in gen.stale()
    (tmp_path / "page.1").write_text("fresh")
    assert tmp_path / "page.1" not in gen.stale()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_manual_pages_are_clean(page: Path) -> None:
    for tool in (["groff", "-Tutf8", "-k", "-ww", "-man", "-z"], ["mandoc", "-T", "lint"]):
        done = subprocess.run([*tool, page], capture_output=True, text=True)
        assert (done.stdout + done.stderr).strip() == ""


def test_every_command_and_topic_has_a_page() -> None:
    expected = {f"{man.page_name(command)}.1" for command in catalog.walk()} | {"qga.1"}
    expected |= {f"qga-{topic}.7" for topic in manual.TOPICS}
    assert {page.name for page in PAGES} == expected


def test_pages_have_the_date_of_the_release() -> None:
    changelog = (gen.ROOT / "CHANGELOG.md").read_text()
    date = man.release_date(changelog)
    assert date
    for page in PAGES:
        assert f'"{date}"' in page.read_text().splitlines()[1], page.name


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_read_by_their_shell(shell: str) -> None:
    script = gen.ROOT / "completions" / SHELLS[shell]
    done = subprocess.run([shell, "-n", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_of_exit_codes_has_every_code_and_kind() -> None:
    page = (gen.ROOT / "man/man7/qga-exit-codes.7").read_text().replace("\\-", "-")
    for kind in vars(errors).values():
        ours = isinstance(kind, type) and issubclass(kind, errors.QgaError)
        if ours and kind is not errors.NotDelivered:  # only what it stands above is raised
            assert f"\\fB{kind.exit_code}\\fR" in page, kind
            assert re.search(rf"[(\s]{kind.kind}[,)]", page), kind.kind


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("exec", "N 2 123 124 125 126 127 128+N"),
        ("script", "N 2 123 124 125 126 127 128+N"),
        ("forward", "N 2 124 125 126 127 128+N"),
        ("fs-with-frozen", "N 2 124 125 126 127 128+N"),
        ("rsh", "N 2 255 128+N"),
        ("shell", "N 1 2 3 4 5 6 7 8 124 128+N"),
        ("exec-status", "N 0 1 2 3 4 5 6 7 8 123 124 128+N"),
        ("help", "0 2"),
    ],
)
def test_exit_codes_of_programs_are_listed_where_they_are_passed_on(
    command: str, codes: str
) -> None:
    page = man.pages("", {})[f"qga-{command}.1"].partition("EXIT STATUS\n")[2]
    assert re.findall(r"^\\fB(\S+)\\fR$", page.partition(".SH")[0], re.M) == codes.split()
