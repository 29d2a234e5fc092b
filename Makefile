# edgeface: `make run` and `make test` set up everything they need on Debian and Ubuntu.
PYTHON ?= python3
VENV := .venv
RUN_PACKAGES := python3-venv libportaudio2
TEST_PACKAGES := $(RUN_PACKAGES) gcc libc6-dev procps systemd pulseaudio pulseaudio-utils \
  libasound2-plugins chromium chromium-driver espeak-ng festival festvox-italp16k xvfb openbox \
  qemu-user-static frozen-bubble-data sound-theme-freedesktop
TRAIN_PACKAGES := gcc g++ python3-dev flite fortunes ffmpeg espeak-ng asterisk-core-sounds-en asterisk-core-sounds-en-g722 \
  asterisk-core-sounds-es asterisk-core-sounds-es-g722 asterisk-core-sounds-fr asterisk-core-sounds-fr-g722 \
  asterisk-core-sounds-it asterisk-core-sounds-it-g722 asterisk-core-sounds-ru asterisk-core-sounds-ru-g722 klettres-data \
  tuxpaint-stamps-default fillets-ng-data fillets-ng-data-cs \
  festival festvox-kdlpc16k festvox-italp16k festvox-itapc16k festvox-czech-dita festvox-czech-krb festvox-czech-machac \
  festvox-czech-ph festvox-suopuhe-lj festvox-suopuhe-mv festvox-ca-ona-hts \
  wesnoth-1.16-music warzone2100-music singularity-music supertux-data fretsonfire-songs-sectoid lincity-ng-data \
  hyperrogue-music colobot-common-sounds neverball-common endless-sky-data bucklespring-data \
  extremetuxracer-data frozen-bubble-data sound-theme-freedesktop \
  sonic-pi-samples lmms-common lomiri-sounds oxygen-sounds minetest-data festvox-ru asterisk-prompt-it-menardi-wav \
  flight-of-the-amazon-queen beneath-a-steel-sky scummvm drascula drascula-spanish \
  fortunes-br fortunes-eo fortunes-pl fortunes-ru
READERS_PACKAGES := rhvoice rhvoice-english libttspico-utils rhvoice-russian rhvoice-ukrainian rhvoice-kyrgyz \
  rhvoice-brazilian-portuguese rhvoice-esperanto rhvoice-macedonian rhvoice-tatar rhvoice-polish rhvoice-albanian
CACHE ?= $(HOME)/.cache/edgeface
DATA ?= ../shared/data
DEVICE ?= cpu

PREFIX ?= /usr/local
# services cannot read an interpreter in a home folder
SERVICE_PYTHON ?= /usr/bin/python3

.PHONY: help run test test-torch lint bench reliability train install uninstall clean

help:
	@echo "make run          the face in the browser, from the microphone or the bundled voice"
	@echo "make lint         style, line length and types (ruff, mypy)"
	@echo "make test         all tests but those that need PyTorch, on every supported Python found here"
	@echo "make test-torch   the tests of importer, training and the paper's benchmark (installs PyTorch)"
	@echo "make bench        cost of a frame, start-up time, memory"
	@echo "make reliability  recovery times, and what is left after a day of sound (half an hour)"
	@echo "make install      edgeface and its services for all users (PREFIX=$(PREFIX), DESTDIR=)"
	@echo "make uninstall    removes them, with configuration and logs"
	@echo "make train        the default model from its recordings (DATA=$(DATA), CACHE=$(CACHE))"
	@echo "make clean        removes environments, caches and built packages"

run: $(VENV)/run
	$(VENV)/bin/python -m edgeface.demo

test: $(VENV)/dev
	scripts/test.sh

test-torch: $(VENV)/dev
	$(VENV)/bin/pip install --disable-pip-version-check -q "torch==2.13.0"
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .[import,study]
	$(VENV)/bin/python -m pytest -q --durations=5 tests/importer tests/bench tests/training

lint: $(VENV)/dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(VENV)/run
	$(VENV)/bin/edgeface bench

reliability: $(VENV)/dev
	PYTHONPATH=.:tests $(VENV)/bin/python tests/system/reliability.py losses
	PYTHONPATH=.:tests $(VENV)/bin/python tests/system/reliability.py soak

install:
	scripts/apt-install.sh $(RUN_PACKAGES)
	PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) PYTHON=$(SERVICE_PYTHON) systemd/install.sh

uninstall:
	PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) systemd/uninstall.sh

train: $(VENV)/train
	$(VENV)/bin/python -m training.prepare --data $(DATA) --cache $(CACHE)
	$(VENV)/bin/python -m training.animate --data $(DATA) --cache $(CACHE)
	$(VENV)/bin/python -m training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/real --epochs 160 \
	  --device $(DEVICE)
	$(VENV)/bin/python -m training.listen --data $(DATA) --cache $(CACHE) -o $(CACHE)/heard \
	  --start-from $(CACHE)/real/state.pt
	$(VENV)/bin/python -m training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/moved \
	  --start-from $(CACHE)/heard/state.pt --animated 0.65 --rate 1.2e-3 --epochs 540 --seed 31 \
	  --device $(DEVICE)
	$(VENV)/bin/python -m training.export $(CACHE)/moved/state.pt -o edgeface/model/default --version 20
	$(VENV)/bin/python -m training.evaluate --data $(DATA) --cache $(CACHE) --plots docs/plots
	$(VENV)/bin/python -m training.filmed --cache $(CACHE)

# environments: a file in the environment says which of them it is
$(VENV)/run: setup.cfg
	scripts/apt-install.sh $(RUN_PACKAGES)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .
	touch $@

$(VENV)/dev: setup.cfg
	scripts/apt-install.sh $(TEST_PACKAGES)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .[dev]
	touch $@ $(VENV)/run

$(VENV)/train: setup.cfg
	scripts/apt-install.sh $(RUN_PACKAGES) $(TRAIN_PACKAGES)
	scripts/apt-install.sh $(READERS_PACKAGES) || { echo "they are in Debian's non-free and Ubuntu's multiverse"; exit 1; }
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -q "torch==2.13.0"
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .[train]
	touch $@ $(VENV)/run

clean:
	rm -rf $(VENV) .venv-* build dist *.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache
