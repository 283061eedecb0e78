# make quick  lint, types, quick tests: under a minute          make test   lint, types and the whole suite
# make demo   a real guest, and `ip addr list` inside it
PYTHON ?= /usr/bin/python3
VENV := .venv
BIN := $(VENV)/bin
LAB := $(PYTHON) -m tests.lab

.PHONY: demo quick test-quick test test-guest test-host test-windows record-windows check test-matrix \
    test-hosts test-oldest deb release-check bench profile pictures gen setup clean

demo: setup
	$(LAB) up demo
	$(BIN)/qga exec demo -- ip addr list

# While you work: needs no guest, no libvirt daemon, no root. Tests wait often: two for each core.
quick: setup
	$(LAB) setup --tests
	$(MAKE) --jobs 2 --output-sync=line check test-quick

# Each process rewrites the tests' assertions as it imports them: four seconds, unless it may keep them.
test-quick: setup
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q --numprocesses $$((2 * $$(nproc))) --dist worksteal \
	    -m "not guest and not slow"

test: setup check
	$(LAB) setup --tests
	$(MAKE) --jobs 2 --output-sync=line test-host test-guest

# Both at once: tests on guests mostly wait.
test-guest: setup
	$(BIN)/pytest -m guest

test-host: setup
	$(BIN)/pytest -m "not guest"

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/shellcheck qga_cli/inside/*/*.sh packaging/*.sh
	$(BIN)/mypy

# On a real agent under wine, built once, in five minutes. Without it `make test` runs what is recorded.
test-windows: setup
	$(LAB) windows
	QGA_WINDOWS=1 $(BIN)/pytest tests/windows

record-windows: setup
	$(LAB) windows
	QGA_WINDOWS=record $(BIN)/pytest tests/windows

test-matrix: setup
	for suite in bullseye bookworm trixie trixie-systemd trixie-backports; do \
	    QGA_TEST_SUITE=$$suite $(BIN)/pytest -m guest || exit 1; \
	done

# Each release in a root of its own, from nothing: demo, tests, and the package. As root; an hour.
test-hosts:
	for release in bookworm trixie; do \
	    $(LAB) host $$release -- sh -c 'make demo && make test' && \
	    $(LAB) host --user $$release -- make demo && \
	    $(LAB) host $$release -- sh -c 'packaging/build-deb.sh && packaging/try-deb.sh' || exit 1; \
	done

# The lowest versions that pyproject.toml allows, really installed.
test-oldest:
	packaging/test-oldest.sh

deb:
	packaging/build-deb.sh

release-check: setup
	packaging/release-check.sh

bench: setup
	$(LAB) setup --tests
	$(BIN)/python -m bench

# Where the time of a short command goes: docs/startup.md.
profile: setup
	$(LAB) setup --tests
	$(BIN)/python -m bench.startup

pictures: setup
	PYTHONPATH=. $(BIN)/python docs/pictures/draw.py

gen: setup
	$(BIN)/python -m qga_cli.gen

# Compiled here, for where PYTHONDONTWRITEBYTECODE is set each start would compile it all anew.
setup: $(VENV)/.ready
	$(BIN)/python -m compileall -q qga_cli

$(VENV)/.ready: pyproject.toml
	$(LAB) setup
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	$(LAB) purge
	rm -rf $(VENV) .venv-oldest .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
