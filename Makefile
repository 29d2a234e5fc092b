# edgeface: `make run` and `make test` set up everything they need on Debian and Ubuntu.
PYTHON ?= python3
VENV := .venv
RUN_PACKAGES := python3-venv libportaudio2
TEST_PACKAGES := $(RUN_PACKAGES) gcc libc6-dev pulseaudio pulseaudio-utils libasound2-plugins chromium chromium-driver
CACHE ?= $(HOME)/.cache/edgeface
DATA ?= ../shared/data

.PHONY: help run test lint bench train clean

help:
	@echo "make run     the face in the browser, from the microphone or the bundled voice"
	@echo "make test    all tests, on every supported Python that is here"
	@echo "make lint    style"
	@echo "make bench   cost of a frame, start, memory"
	@echo "make train   train the default model anew (DATA=$(DATA), CACHE=$(CACHE))"

run: $(VENV)/run
	$(VENV)/bin/python -m edgeface.demo

test: $(VENV)/dev
	tests/run.sh

lint: $(VENV)/dev
	$(VENV)/bin/ruff check .

bench: $(VENV)/run
	$(VENV)/bin/edgeface bench

train: $(VENV)/train
	$(VENV)/bin/python -m edgeface.training.prepare --data $(DATA) --cache $(CACHE)
	$(VENV)/bin/python -m edgeface.training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/run
	$(VENV)/bin/python -m edgeface.training.export $(CACHE)/run/state.pt -o edgeface/model/default
	$(VENV)/bin/python -m edgeface.training.evaluate --data $(DATA)

# environments: a file in the environment says which of them it is
$(VENV)/run: setup.py
	tests/packages.sh $(RUN_PACKAGES)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .
	touch $@

$(VENV)/dev: setup.py
	tests/packages.sh $(TEST_PACKAGES)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .[dev]
	touch $@ $(VENV)/run

$(VENV)/train: setup.py
	tests/packages.sh $(RUN_PACKAGES) gcc g++ python3-dev
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -q "torch==2.13.0" || true
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .[train]
	touch $@ $(VENV)/run

clean:
	rm -rf $(VENV) .venv-* build dist *.egg-info .pytest_cache .hypothesis .ruff_cache
