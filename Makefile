# make run    a running server with the demo district (DEMO=0: an empty one); PORT, HOST, GRIDBOOK_… as in docs/settings.md
# make test   everything that can be checked, in a fresh clone too
# make clean  what was built and installed; never the data folder

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
NPM := npm --no-audit --no-fund --loglevel=error
APT := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
BROWSER_TESTS := tests/journeys tests/phone tests/server/web/test_browser.py tests/server/lists/test_journey.py
TESTS_ROOM_KB := 4000000
MEMORY_ROOM_KB = $(shell { df --output=avail /dev/shm; awk '/^MemAvailable/ {print $$2}' /proc/meminfo; } 2>/dev/null | sort -n | sed -n 2p)
ROOMY = $(if $(shell [ "$(or $(MEMORY_ROOM_KB),0)" -gt $(TESTS_ROOM_KB) ] && echo yes),/dev/shm,$(or $(TMPDIR),/tmp))
POSTGRESQL := /usr/lib/postgresql/*/bin/postgres
DATA := $(or $(GRIDBOOK_DATA),var)
PREPARED := $(DATA)/.prepared-$(or $(DEMO),1)
POUCHDB := tests/sync/pouchdb/node_modules/.installed tests/sync/pouchdb-server/node_modules/.installed

PHONE_SOURCES := $(shell find phone -type f -not -path '*/node_modules/*' -not -path 'phone/dist/*' -not -name '*.test.ts')
PAGES_SOURCES := $(shell find server/web/src -type f) server/web/package.json server/web/vite.config.ts server/web/tsconfig.json

.PHONY: help run build test check-python check-phone check-pages test-python browser postgresql clean

help:
	@sed -n 's/^# //p' Makefile

run: build $(PREPARED)
	@GRIDBOOK_GREETING=1 exec $(BIN)/gunicorn wsgi:application

# Forms and demo are looked at again when something that makes them has changed.
$(PREPARED): $(VENV)/.requirements $(wildcard forms/*.json) $(shell find schemas server/forms server/register -name '*.py')
	@$(BIN)/flask prepare
	@touch $@

build: $(VENV)/.requirements phone/dist/index.html server/web/static/dist/pages.js

$(BIN)/python:
	@python3 -m venv $(VENV) || { rm -rf $(VENV); $(APT) python3-venv && python3 -m venv $(VENV); }

$(VENV)/.requirements: requirements.txt | $(BIN)/python
	@echo "Python packages …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --only-binary :all: -r requirements.txt
	@touch $@

# No package needs its install script: what is native comes built, and one would compile for minutes.
%/node_modules/.installed: %/package-lock.json
	@echo "npm packages of $* …"
	@$(NPM) --prefix $* ci --ignore-scripts
	@touch $@

phone/dist/index.html: phone/node_modules/.installed $(PHONE_SOURCES)
	@echo "Phone app …"
	@$(NPM) --prefix phone run build
	@touch $@

server/web/static/dist/pages.js: server/web/node_modules/.installed $(PAGES_SOURCES)
	@echo "Staff pages …"
	@$(NPM) --prefix server/web run build
	@touch $@

$(VENV)/.test-requirements: tests/requirements.txt requirements.txt $(VENV)/.requirements
	@echo "Python packages for tests …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --only-binary :all: -r tests/requirements.txt
	@touch $@

# Every step runs even when one before it failed, so that one run tells all; the last line tells what was left out.
test: build browser postgresql $(VENV)/.test-requirements $(POUCHDB)
	@failed=; \
	for step in check-python check-phone check-pages test-python; do \
	  echo "— $$step"; $(MAKE) --no-print-directory $$step || failed="$$failed $$step"; \
	done; \
	command -v chromium >/dev/null || echo "Not tested: $(BROWSER_TESTS) (no Chromium could be installed)"; \
	ls $(POSTGRESQL) >/dev/null 2>&1 || echo "Not tested: the read model on PostgreSQL (none could be installed)"; \
	if [ -n "$$failed" ]; then echo "Failed:$$failed"; exit 1; fi; \
	echo "All passed."

check-python:
	@$(BIN)/ruff check .
	@$(BIN)/mypy schemas sync server wsgi.py

check-phone:
	@$(NPM) --prefix phone run check
	@$(NPM) --prefix phone test

check-pages:
	@$(NPM) --prefix server/web run check

# Two files at once, one for each core. What tests write is in memory where there is enough of it, for they wait for the
# disk tens of thousands of times; bytecode is kept for the run, because hundreds of processes are started.
test-python:
	@temporary=$$(mktemp -d -p "$(ROOMY)" gridbook-XXXXXX); trap 'rm -rf "$$temporary"' EXIT; chmod 711 "$$temporary"; \
	export TMPDIR="$$temporary" PYTHONPYCACHEPREFIX="$$temporary/bytecode" PYTHONDONTWRITEBYTECODE=; \
	command -v chromium >/dev/null || ignored="$(BROWSER_TESTS:%=--ignore=%)"; \
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $${ignored:-}

browser:
	@command -v chromium >/dev/null || { \
	  echo "Chromium …"; apt-get update -qq && $(APT) chromium fonts-noto-cjk; } || true

# Only its programs: the tests start their own, and no other is left running.
postgresql:
	@ls $(POSTGRESQL) >/dev/null 2>&1 || { \
	  echo "PostgreSQL …"; mkdir -p /etc/postgresql-common/createcluster.d; \
	  echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/gridbook.conf; \
	  apt-get update -qq && $(APT) postgresql; } || true

clean:
	rm -rf $(VENV) phone/dist phone/node_modules server/web/static/dist server/web/node_modules \
	  tests/sync/pouchdb/node_modules tests/sync/pouchdb-server/node_modules tests/artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
