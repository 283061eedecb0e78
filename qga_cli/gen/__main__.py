"""Writes what is derived from the command records: man/man1, completions/, docs/commands.md.

`python -m qga_cli.gen` writes, `--check` only compares and fails when something is out of date.
"""

import json
import sys
from pathlib import Path

from qga_cli.gen import completion, man, reference

ROOT = Path(__file__).parent.parent.parent


def files() -> dict[Path, str]:
    """Every derived file and what it should say."""
    changelog = ROOT / "CHANGELOG.md"
    date = man.release_date(changelog.read_text() if changelog.exists() else "")
    return {
        **{ROOT / "completions" / name: completion.script(shell)
           for shell, name in completion.SHELLS.items()},
        **{ROOT / "man/man1" / name: text for name, text in man.pages(date, _shown()).items()},
        **{path: man.dated(path.read_text(), date) for path in (ROOT / "man/man7").iterdir()},
        ROOT / "man/man7/qga-options.7": man.options_page(date),
        ROOT / "docs/commands.md": reference.page(),
    }  # fmt: skip


def _shown() -> dict[str, list[str]]:
    """From the tests' cases: a command line, and what it prints on a terminal."""
    found = {}
    for path in sorted((ROOT / "tests/cases").glob("guest-*.json")):
        case = json.loads(path.read_text())
        if "." not in path.stem and case.get("terminal"):
            line = "$ qga " + case["argv"].replace("VM", "web1")
            found[path.stem] = [line, *case["terminal"]]
    return found


def stale() -> list[Path]:
    """Files that differ from a fresh generation, and pages of commands that are gone."""
    fresh = files()
    differ = [path for path, text in fresh.items() if not path.exists() or path.read_text() != text]
    return differ + [path for path in (ROOT / "man/man1").iterdir() if path not in fresh]


def main() -> None:
    """Write, or with --check tell what is out of date."""
    fresh = files()
    for path in stale():
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
        if "--check" in sys.argv[1:]:
            continue
        if path in fresh:
            path.parent.mkdir(exist_ok=True)
            path.write_text(fresh[path])
        else:
            path.unlink()
    sys.exit(1 if "--check" in sys.argv[1:] and stale() else 0)


if __name__ == "__main__":
    main()
