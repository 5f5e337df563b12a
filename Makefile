# Every target does all of its own set-up: a machine needs Python 3.11 or later, make and git.
# On Debian, what else is missing is installed with apt-get (as root, or through sudo).

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,\
	$(shell $(name) -c 'import sys; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 4
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get

# Server binaries with contrib, PostgreSQL 15 or later.
CONTRIB := $(addprefix /usr/share/postgresql/,$(addsuffix /extension/pgcrypto.control,15 16 17 18 19))

# Debian's folder is on root's PATH only.
PGBOUNCER := $(shell PATH="$$PATH:/usr/sbin" command -v pgbouncer)

REDIS := $(shell command -v redis-server)

CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: demo test lint postgres pgbouncer redis curl chromium clean
.DELETE_ON_ERROR:

demo: $(VENV)/.project
	@$(BIN)/python examples/invoices/demo.py
	@$(BIN)/partywall demo

test: $(VENV)/.project postgres pgbouncer redis curl chromium
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: $(VENV)/.project
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# The stamps: each is as new as what it was made from, so a second start installs nothing.
$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "partywall needs Python 3.11 or later: set PYTHON=/path/to/it" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
		echo "this Python can't make a virtual environment: installing Debian's python3-venv" >&2; \
		$(APT) update -qq && $(APT) install -qq -y python3-venv >/dev/null && \
		rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); }
	@touch $@

$(VENV)/.locked: requirements.lock $(VENV)/.python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.locked
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@touch $@

# The package may start a cluster of its own; the tests neither use nor touch it.
postgres:
	@test -n "$(wildcard $(CONTRIB))" || if command -v apt-get >/dev/null; then \
		echo "no PostgreSQL 15 or later with contrib: installing Debian's" >&2; \
		$(APT) update -qq && $(APT) install -qq -y postgresql postgresql-contrib >/dev/null; \
	else \
		echo "the tests look for PostgreSQL 15 or later with contrib on PATH" >&2; \
	fi

# As with PostgreSQL: the package may start one for the machine.
pgbouncer:
	@test -n "$(PGBOUNCER)" || if command -v apt-get >/dev/null; then \
		echo "no PgBouncer: installing Debian's" >&2; \
		$(APT) update -qq && $(APT) install -qq -y pgbouncer >/dev/null; \
	else \
		echo "the tests look for PgBouncer on PATH" >&2; \
	fi

# As with PostgreSQL: the package may start one for the machine.
redis:
	@test -n "$(REDIS)" || if command -v apt-get >/dev/null; then \
		echo "no Redis: installing Debian's" >&2; \
		$(APT) update -qq && $(APT) install -qq -y redis-server >/dev/null; \
	else \
		echo "the tests look for redis-server on PATH" >&2; \
	fi

# The witnesses of a probe are commands; the tests run them.
curl:
	@command -v curl >/dev/null || if command -v apt-get >/dev/null; then \
		echo "no curl: installing Debian's" >&2; \
		$(APT) update -qq && $(APT) install -qq -y curl >/dev/null; \
	else \
		echo "the tests look for curl on PATH" >&2; \
	fi

# The tests look at the page of a report as people do.
chromium:
	@test -n "$(CHROMIUM)" || if command -v apt-get >/dev/null; then \
		echo "no Chromium: installing Debian's" >&2; \
		$(APT) update -qq && $(APT) install -qq -y chromium >/dev/null; \
	else \
		echo "the tests look for chromium on PATH" >&2; \
	fi

clean:
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
