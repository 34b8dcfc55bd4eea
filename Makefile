# Every command a developer needs. `make demo` and `make test` set themselves up.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
PIP := pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Tests and measurements start many interpreters, each of which would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install lock demo test lint format docs pictures names package bench truth interop spark clean
.DEFAULT_GOAL := help

help: ## list these commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

install: $(READY) ## make .venv with mag7 and everything its development needs

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "mag7 needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m $(PIP) --upgrade pip
	$(BIN)/python -m $(PIP) --build-constraint constraints.txt --editable '.[report,deploy,excel]' --group dev
	@touch $(READY)

lock: $(READY) ## write constraints.txt, the lock, again; UPGRADE=--upgrade takes the newest of everything
	$(BIN)/python -m $(PIP) --group lock
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --extra report --extra deploy --extra excel --extra spark \
	  --group dev --group release --group lock --no-annotate --custom-compile-command 'make lock' \
	  --output-file constraints.txt $(UPGRADE)

demo: $(READY) ## run the whole pipeline on a simulated market, offline and without a key
	$(BIN)/mag7 demo --lake demo-lake

test: $(READY) ## run the tests, offline
	$(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder

lint: $(READY) ## check style and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/python scripts/lint_template.py

format: $(READY) ## mend style where that can be done by itself
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

docs: $(READY) ## write the generated pages of the documentation again
	$(BIN)/python scripts/write_data_model.py && $(BIN)/python scripts/write_cli_reference.py

pictures: demo ## draw the pictures of the README from the simulated market (needs Chromium)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python scripts/draw_pictures.py demo-lake

names: $(READY) ## count vague names and the length of functions in src
	$(BIN)/python scripts/count_vague_names.py

package: $(READY) ## build the sdist and the wheel into dist/, check them, try the wheel in an environment of its own
	$(BIN)/python -m $(PIP) --group release
	$(BIN)/python scripts/try_package.py

bench: $(READY) ## measure the figures of docs/performance.md, side by side in one run
	$(BIN)/python scripts/bench.py

truth: $(READY) ## hold eight drawn markets of the index's size against their truth: the table of docs/methodology.md
	$(BIN)/python scripts/measure_truth.py --write

interop: $(READY) ## read a demo lake with every reader of docs/interop.md (needs the registry and Java)
	$(BIN)/python scripts/interop/run.py

spark: $(READY) ## run the Glue job's script on real Spark (Java, network) and compare its tables with one process's
	$(BIN)/python scripts/try_spark.py

clean: ## remove what the other commands made
	rm -rf .venv demo-lake bench-out interop-out spark-out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
