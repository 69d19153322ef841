# Each target is one line of the real command. Windows users: the README has the same without make.
PYTHON ?= python3
BIN := .venv/bin
.PHONY: setup run check test test-all reference site archive bench lab lint lock documents clean

setup: .venv/ready  ## make .venv with every package of requirements.lock, hashes checked, bytecode compiled

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 15) else "Python 3.11 to 3.14 is needed, this is " + sys.version.split()[0] + ": name another, as in `make PYTHON=python3.12 run`")'
	@if command -v uv >/dev/null; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) .venv && \
	  uv pip sync --quiet --python .venv --require-hashes --compile-bytecode requirements.lock && \
	  uv pip install --quiet --python .venv --no-deps --compile-bytecode -e . ; \
	else \
	  $(PYTHON) -m venv .venv && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	fi
	@touch $@

run: setup  ## run the study into papermill_runs/latest and figures/latest, then render it to site/
	$(BIN)/detainers run && $(BIN)/detainers site --run latest

check: setup  ## execute the reference run again under nbval, compare all it gives; the report is papermill_runs/reference.check/check.html
	$(BIN)/detainers check

test: lint  ## lint, types, every test that is not slow, the reference run re-executed under nbval
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow"

test-all: lint  ## the same with the slow tests
	$(BIN)/pytest -n 2 --dist loadfile

lint: setup  ## style and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

reference: setup  ## remake the committed run, simulations in full, and the text made from it
	$(BIN)/detainers run --run reference --force -p 06.profile=full && $(BIN)/python -m helpers.documents

site: setup  ## render the reference run to site/
	$(BIN)/detainers site

archive: setup  ## pack the reference run as an RO-Crate
	$(BIN)/detainers archive

bench: setup  ## time the runner against other ways to run notebooks: benchmarks/README.md
	-@$(MAKE) --silent benchmarks/.venv/ready
	$(BIN)/python benchmarks/run.py

benchmarks/.venv/ready: benchmarks/requirements.txt
	@if command -v uv >/dev/null; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) benchmarks/.venv && \
	  uv pip sync --quiet --python benchmarks/.venv --require-hashes --compile-bytecode $< ; \
	else \
	  $(PYTHON) -m venv benchmarks/.venv && \
	  benchmarks/.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $< ; \
	fi
	@touch $@

lab: setup  ## open the notebooks
	$(BIN)/jupyter lab notebooks

documents: setup  ## rewrite data/README.md, the README's findings and the comment in environment.yml
	$(BIN)/python -m helpers.documents

lock: setup  ## remake requirements.lock (needs uv)
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --generate-hashes --no-header --no-annotate --output-file requirements.lock pyproject.toml && $(BIN)/python -m helpers.documents
	echo snakemake | uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --output-file benchmarks/requirements.txt -

clean:  ## remove what can be made again
	rm -rf .venv benchmarks/.venv site declined-detainers-*.zip papermill_runs/latest papermill_runs/scratch papermill_runs/sweeps papermill_runs/*.check figures/latest figures/scratch .pytest_cache .mypy_cache .ruff_cache .hypothesis
