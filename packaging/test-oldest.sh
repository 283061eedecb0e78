#!/bin/sh
# Runs the tests that need no guest with the lowest versions of pyproject.toml, and click as old as
# Typer 0.7 knows it: what Debian 12 ships. Words after the script's name go to pytest.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-/usr/bin/python3}
"$python" -m tests.lab setup --tests
[ -x .venv-oldest/bin/python ] || "$python" -m venv .venv-oldest
.venv-oldest/bin/pip install --quiet --disable-pip-version-check \
  typer==0.7.0 click==8.1.3 rich==13.3.1 PyYAML==6.0 libvirt-python==9.0.0 prometheus-client==0.16.0 \
  ansible-core==2.16.0 pytest pytest-xdist hatchling hypothesis
.venv-oldest/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
[ $# -gt 0 ] || set -- -m "not guest"
exec .venv-oldest/bin/python -m pytest -q -p no:cacheprovider "$@"
