# Everything is made in ./.venv by uv; uv itself comes by pip into ./.uv where it is missing.
.DEFAULT_GOAL := help
.PHONY: help demo test test-fast faults check fix bench docs tables hooks clean

VENV := .venv
BIN := $(VENV)/bin
UV := tools/uv
# The environment must not lead uv or Python elsewhere.
export UV_PROJECT_ENVIRONMENT := $(VENV)
unexport VIRTUAL_ENV
unexport PYTHONPATH
unexport PYTHONHOME
# A compiled package is imported many times faster.
unexport PYTHONDONTWRITEBYTECODE

REPEAT ?= 10
WORKERS ?= auto

help:
	@echo "make demo       run examples/quickstart against a Zaffre started in the background"
	@echo "make test       all tests that this machine has the programs for; names the rest"
	@echo "make test-fast  rules, records and clients alone: no server, no process"
	@echo "make faults     the kill tests, REPEAT=$(REPEAT) times; writes docs/durability.md's figures"
	@echo "make check      format, lint, types, layers, stale tables"
	@echo "make fix        format, and mend what ruff can mend"
	@echo "make bench      the benchmarks' table"
	@echo "make tables     write the generated tables of docs/ again"
	@echo "make docs       tables, and whether the docs name files that exist"
	@echo "make hooks      run make check before each commit"

# Packages only, from the lock; --inexact keeps what the other target has installed.
$(VENV)/demo.stamp: pyproject.toml uv.lock
	@$(UV) sync --quiet --locked --compile-bytecode --inexact --no-default-groups --extra server --group examples
	@touch $@

$(VENV)/dev.stamp: pyproject.toml uv.lock
	@$(UV) sync --quiet --locked --compile-bytecode --inexact --no-default-groups --extra server --group dev
	@touch $@ $(VENV)/demo.stamp

demo: $(VENV)/demo.stamp
	@$(BIN)/python tools/demo.py

test: $(VENV)/dev.stamp
	@$(BIN)/python tools/programs.py
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(PYTEST_OPTIONS)

test-fast: $(VENV)/dev.stamp
	@$(BIN)/pytest -q -n $(WORKERS) -m "not processes and not postgresql" \
		tests/contract tests/client tests/sdk tests/cli tests/server

faults: $(VENV)/dev.stamp
	@ZAFFRE_FAULTS_REPEAT=$(REPEAT) $(BIN)/pytest -n 0 tests/faults

check: $(VENV)/dev.stamp
	@$(BIN)/ruff format --check --quiet . && echo "format: ok"
	@$(BIN)/ruff check --quiet . && echo "lint: ok"
	@said=$$($(BIN)/basedpyright --level error 2>&1) && echo "types: ok" || { echo "$$said"; exit 1; }
	@said=$$($(BIN)/lint-imports --no-cache 2>&1) && echo "layers: ok" || { echo "$$said"; exit 1; }
	@$(BIN)/python tools/coverage.py --check
	@$(BIN)/python tools/docs_files.py

fix: $(VENV)/dev.stamp
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: $(VENV)/dev.stamp
	@$(BIN)/python -m benchmarks

tables: $(VENV)/dev.stamp
	@$(BIN)/python tools/coverage.py

docs: tables
	@$(BIN)/python tools/docs_files.py

hooks:
	@printf '#!/bin/sh\nexec make --no-print-directory check\n' > "$$(git rev-parse --git-path hooks)/pre-commit"
	@chmod +x "$$(git rev-parse --git-path hooks)/pre-commit"
	@echo "make check now runs before each commit"

clean:
	rm -rf $(VENV) .uv
