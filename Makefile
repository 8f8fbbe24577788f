# `make run` serves Daypass, `make test` tests it. Both set up what they need on a machine that
# has Python 3.11 or newer and make.

PYTHON ?= python3
BIN := .venv/bin
SITE := src/daypass/_site/index.html
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/.next/*' \
                 -not -path 'web/out/*' -not -name '*.tsbuildinfo' -not -name 'next-env.d.ts')
NODE_TESTS := tests/e2e/node/node_modules/.package-lock.json
HOST ?= 127.0.0.1
PORT ?= 8000

# A virtual environment whose installation was interrupted or failed is made again from the start.
UNFINISHED := .venv/unfinished
$(shell test ! -e $(UNFINISHED) || rm -rf .venv)
CHECK_PYTHON := import sys; sys.version_info < (3, 11) and sys.exit("Daypass needs Python 3.11 or \
  newer; $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.12" % sys.version_info[:2])
INSTALL = @touch $(UNFINISHED); $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: run test check format openapi lock audit mutations screenshots soak bench bench-profile \
  clean

run: .venv/installed $(SITE)
	@$(BIN)/daypass serve --host $(HOST) --port $(PORT)

test: .venv/installed-dev $(SITE) .venv/programs $(NODE_TESTS)
	$(BIN)/python hatch_build.py npm test
	$(BIN)/pytest -n 2 --dist loadfile -m "not soak and not serial"
	$(BIN)/pytest -m "serial and not soak"

check: .venv/installed-dev $(SITE)
	$(BIN)/ruff format --check src tests bench hatch_build.py
	$(BIN)/ruff check src tests bench hatch_build.py
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell
	$(BIN)/python hatch_build.py npm run typecheck
	$(BIN)/python hatch_build.py npm run lint

format: .venv/installed-dev
	$(BIN)/ruff format src tests bench hatch_build.py
	$(BIN)/ruff check --fix src tests bench hatch_build.py

# The portal's OpenAPI document, from which the site's API client is generated.
openapi: .venv/installed-dev
	$(BIN)/python -m daypass.cli.openapi > web/openapi.json
	$(BIN)/python hatch_build.py npm run generate

# The long forms of what `make test` tries briefly, with their figures: kill -9 at random moments,
# fuzzing, every call that the portal's OpenAPI document describes, and mixed traffic with faults on.
# Shorter: MODEL_CASES=500 make soak CYCLES=10 CASES=10000 FUZZ=50 SOAK_S=60
CYCLES ?= 100
CASES ?= 120000
FUZZ ?= 300
SOAK_S ?= 1800
soak: .venv/installed-dev
	$(BIN)/python -m tests.chaos.kill --cycles $(CYCLES)
	$(BIN)/python -m tests.chaos.kill --cycles $(CYCLES) --redis
	$(BIN)/pytest -m soak
	$(BIN)/python -m tests.fuzz --cases $(CASES)
	FUZZ_EXAMPLES=$(FUZZ) $(BIN)/pytest -s --timeout=3600 tests/portal/test_fuzz.py
	$(BIN)/python -m tests.chaos.soak --seconds $(SOAK_S)

# Breaks each guard on purpose and shows which test fails for it; about ten minutes. Some of them:
# make mutations ONLY="reservation forgery"
mutations: .venv/installed-dev $(SITE)
	@$(BIN)/python -m tests.mutations $(ONLY)

# Known vulnerabilities of everything that is locked, asked of the registries' advisory services.
audit: .venv/installed-audit
	@$(BIN)/python -m tests.audit

# Speed against peers, with figures in docs/performance.md; about 25 minutes. In part and shortly:
# make bench ONLY=unary,streams PEERS=direct,nginx,daypass QUICK=1
ONLY ?=
PEERS ?=
QUICK ?=
bench: .venv/installed-bench $(SITE)
	@$(BIN)/python -m bench --only '$(ONLY)' --peers '$(PEERS)' $(if $(QUICK),--quick)

# Where the time goes: Daypass under load, each function's own share. REDIS=1, NATIVE=1 (C too).
REDIS ?=
NATIVE ?=
bench-profile: .venv/installed-bench $(SITE)
	@$(BIN)/python -m bench.profile $(if $(REDIS),--redis) $(if $(NATIVE),--native)

# Pictures of every page, for the README and docs/.
screenshots: .venv/installed-dev $(SITE) .venv/programs
	$(BIN)/python -m tests.e2e.screenshots docs/screenshots

lock: | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(eval LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --quiet)
	$(LOCK) pyproject.toml --group build -o requirements.lock
	$(LOCK) pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock
	$(LOCK) --group bench -c requirements-dev.lock -o requirements-bench.lock
	$(LOCK) --group audit -c requirements-dev.lock -o requirements-audit.lock
	$(LOCK) --group node -o requirements-node.lock

clean:
	rm -rf .venv tests/e2e/node/node_modules web/node_modules web/.next web/out src/daypass/_site

.venv/bin/python:
	@$(PYTHON) -c '$(CHECK_PYTHON)'
	@mkdir -p .venv && touch $(UNFINISHED)
	@$(PYTHON) -m venv .venv || { [ "$$(id -u)" = 0 ] && apt-get update -qq \
	  && apt-get install -y -qq python3-venv && $(PYTHON) -m venv .venv; }
	@rm $(UNFINISHED)

.venv/installed: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing Python packages…"
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@rm $(UNFINISHED) && touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed
	@echo "Installing Python packages for tests…"
	$(INSTALL) --require-hashes -r requirements-dev.lock
	@rm $(UNFINISHED) && touch $@

.venv/installed-bench: requirements-bench.lock .venv/installed-dev
	@echo "Installing Python packages for measuring…"
	$(INSTALL) --require-hashes -r requirements-bench.lock
	@rm $(UNFINISHED) && touch $@

.venv/installed-audit: requirements-audit.lock .venv/installed-dev
	@echo "Installing Python packages for the audit…"
	$(INSTALL) --require-hashes -r requirements-audit.lock
	@rm $(UNFINISHED) && touch $@

.venv/programs: tests/support/programs.py tests/enforcement/aws/ministack.lock | .venv/installed-dev
	@$(BIN)/python -m tests.support.programs
	@touch $@

# What the browser tests need of Node.js: axe-core, Lighthouse, the openai package.
$(NODE_TESTS): tests/e2e/node/package-lock.json | .venv/installed
	@echo "Installing Node.js packages for tests…"
	@$(BIN)/python hatch_build.py npm ci --prefix ../tests/e2e/node --no-audit --no-fund --loglevel=error
	@touch $@

$(SITE): $(WEB_SOURCES) hatch_build.py | .venv/installed
	@$(BIN)/python hatch_build.py
