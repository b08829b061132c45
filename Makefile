# Everything starts here. `make demo` and `make test` need python3 (3.10 to 3.12), its venv module and make; the rest is
# fetched once, from requirements.lock with its hashes, into .venv. A second run needs no network.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help setup demo test lab lint site studies notebooks exercises handout wheelhouse slides lock clean

# The stamp is written last and names what it was made from, so that an interrupted, outdated or moved .venv is mended.
BIN := .venv/bin
STATE := $(shell { pwd; cat requirements.lock pyproject.toml; } | cksum | cut -d ' ' -f 1)
STAMP := .venv/ready-$(STATE)
ifneq ($(shell $(BIN)/python -c 'print("runs")' 2>/dev/null),runs)
.PHONY: $(STAMP)
endif

help: ## show this list
	@echo 'make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z]*\):.*## /  \1 : /p' $(MAKEFILE_LIST) | awk -F ' : ' '{ printf "%-12s %s\n", $$1, $$2 }'
	@echo 'A Python of your choice for a new .venv: make setup PYTHON=python3.12'

setup: $(STAMP) ## make .venv with everything that the project needs

$(STAMP):
	@PYTHON='$(PYTHON)' sh tools/setup.sh
	@touch $(STAMP)

demo: $(STAMP) ## the whole story: a detector, its export, a planted fault, the diagnosis, a report
	@$(BIN)/oddemo demo $(ARGS)

test: $(STAMP) ## every check: style, types, tests, notebooks, site
	@bash tools/test.sh $(PARTS)

lint: $(STAMP) ## style and types alone
	@bash tools/test.sh lint

handout: $(STAMP) ## the table of faults as a PDF to print: runs/handout.pdf
	@$(BIN)/python tools/handout.py

slides: $(STAMP) ## slides of the short course, for rooms without network too: runs/slides
	@$(BIN)/python tools/slides.py $(NB)

wheelhouse: $(STAMP) ## all that an installation without network needs: runs/wheelhouse; PLATFORM=… PY=3.12 for others
	@$(BIN)/python tools/wheelhouse.py $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(PY),--python $(PY)) $(ARGS)

lab: $(STAMP) ## open the notebooks in JupyterLab
	@cd notebooks && ../$(BIN)/jupyter lab $(ARGS)

site: $(STAMP) ## the course, the faults and the API as web pages, every link checked: runs/site/html/index.html
	@$(BIN)/python tools/make_site.py

studies: $(STAMP) ## run the studies again and write results/ (hours); one alone: make studies NAME=…
	@for name in $(or $(NAME),$$($(BIN)/oddemo study list --names)); do $(BIN)/oddemo study run $$name || exit 1; done

notebooks: $(STAMP) ## execute the notebooks and store their outputs; some alone: make notebooks NB=notebooks/00_….ipynb
	@$(BIN)/python tools/notebooks.py run $(NB)

exercises: $(STAMP) ## make notebooks/exercises from notebooks/solutions
	@$(BIN)/python tools/exercises.py write

lock: $(STAMP) ## make requirements.lock anew; with newer versions: make lock UPGRADE=1
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.10 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --quiet $(if $(UPGRADE),--upgrade) -o requirements.lock
	@$(BIN)/python tools/lock.py
	@$(BIN)/python tools/lane_locks.py $(if $(UPGRADE),--upgrade)

clean: ## remove what running leaves behind; .venv stays (rm -r .venv removes it)
	rm -rf build dist runs .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name .venv -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -type d -prune -exec rm -rf {} +
