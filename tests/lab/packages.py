"""Debian packages of any suite, by apt, without touching the host's package state."""

import os
from pathlib import Path

from tests.lab import cache
from tests.lab.process import LabError, run

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# The host's own apt configuration is read before it: a proxy or credentials set there still count.
CONFIGURATION = """\
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Default-Release "";
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
Dir::Cache "{state}";
Dir::Cache::archives "{state}/archives";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "{state}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "{state}";
Dir::State::lists "{state}/lists";
Dir::State::status "{state}/status";
"""


class Archive:
    """The packages of one or more releases; whoever uses it holds the lock `apt-FIRST RELEASE`."""

    def __init__(self, *releases: str) -> None:
        """Fetch the lists of packages, say those of trixie and trixie-backports."""
        self._state = cache.folder("apt", "+".join(releases))
        self._debs = self._state / "archives"
        cache.remove(self._debs)  # what an interrupted run has left
        for part in ("lists/partial", "archives/partial"):
            (self._state / part).mkdir(parents=True, exist_ok=True)
        (self._state / "status").touch()
        archive = mirror()
        sources = [f"deb [signed-by={KEYRING}] {archive} {name} main\n" for name in releases]
        (self._state / "sources.list").write_text("".join(sources))
        (self._state / "apt.conf").write_text(CONFIGURATION.format(state=self._state))
        try:
            self._apt("update", "-qq")
        except LabError as error:
            raise LabError(
                f"{archive} does not serve {' with '.join(releases)}: {error}"
            ) from error

    def system(self, names: list[str]) -> list[Path]:
        """Download packages with everything they need on an empty disk."""
        self._apt("install", "-qq", "--download-only", *names)
        return sorted(self._debs.glob("*.deb"))

    def package(self, name: str) -> Path:
        """Download one package without what it depends on."""
        self._apt("download", "-qq", name)
        return max(self._debs.glob(f"{name}_*.deb"), key=lambda path: path.stat().st_mtime)

    def dependencies(self, name: str) -> list[str]:
        """Names of the packages that one depends on, versions left out."""
        (line,) = [
            line.removeprefix("Depends: ")
            for line in self._apt("show", name, program="apt-cache").splitlines()
            if line.startswith("Depends: ")
        ]
        return [part.split()[0] for part in line.split(",")]

    def clean(self) -> None:
        """Remove the downloaded packages; the lists stay."""
        cache.remove(self._debs)

    def _apt(self, *arguments: str, program: str = "apt-get") -> str:
        configuration = f"-c={self._state / 'apt.conf'}"
        return run(program, configuration, *arguments, folder=self._debs)


def mirror() -> str:
    """The Debian archive that this machine's own apt uses."""
    chosen = os.environ.get("QGA_LAB_MIRROR")
    if chosen:
        return chosen
    for line in run(
        "apt-get",
        "indextargets",
        "--format",
        "$(ORIGIN) $(LABEL) $(REPO_URI)",
        "Created-By: Packages",
    ).splitlines():
        origin, label, uri = line.split(maxsplit=2)
        if (origin, label) == ("Debian", "Debian"):
            return uri
    raise LabError(
        "apt knows no Debian archive: run `apt-get update`, or set QGA_LAB_MIRROR to a mirror's URL"
    )
