# edgeface: `make run` and `make test` set up everything they need on Debian and Ubuntu.
PYTHON ?= python3
VENV := .venv
RUN_PACKAGES := python3-venv libportaudio2
TEST_PACKAGES := $(RUN_PACKAGES) gcc libc6-dev procps systemd pulseaudio pulseaudio-utils libasound2-plugins chromium chromium-driver espeak-ng festival festvox-italp16k xvfb openbox qemu-user-static
TRAIN_PACKAGES := gcc g++ python3-dev flite fortunes ffmpeg espeak-ng asterisk-core-sounds-en asterisk-core-sounds-en-g722 \
  asterisk-core-sounds-es asterisk-core-sounds-es-g722 asterisk-core-sounds-fr asterisk-core-sounds-fr-g722 \
  asterisk-core-sounds-it asterisk-core-sounds-it-g722 asterisk-core-sounds-ru asterisk-core-sounds-ru-g722 klettres-data \
  tuxpaint-stamps-default fillets-ng-data fillets-ng-data-cs \
  festival festvox-kdlpc16k festvox-italp16k festvox-itapc16k festvox-czech-dita festvox-czech-krb festvox-czech-machac \
  festvox-czech-ph festvox-suopuhe-lj festvox-suopuhe-mv festvox-ca-ona-hts
CACHE ?= $(HOME)/.cache/edgeface
DATA ?= ../shared/data

PREFIX ?= /usr/local
# services cannot read an interpreter in a home folder
SERVICE_PYTHON ?= /usr/bin/python3

.PHONY: help run test test-study lint bench reliability train install uninstall clean

help:
	@echo "make run     the face in the browser, from the microphone or the bundled voice"
	@echo "make test    all tests, on every supported Python that is here"
	@echo "make test-study  the study's networks against the original ones, import and streaming (needs PyTorch)"
	@echo "make lint    style"
	@echo "make bench   cost of a frame, start, memory"
	@echo "make reliability  recovery times, and what a day of sound leaves behind (half an hour)"
	@echo "make install edgeface and its services for all users (PREFIX=$(PREFIX), DESTDIR=); make uninstall removes them"
	@echo "make train   train the default model anew (DATA=$(DATA), CACHE=$(CACHE))"

run: $(VENV)/run
	$(VENV)/bin/python -m edgeface.demo

test: $(VENV)/dev
	tests/run.sh

test-study: $(VENV)/dev
	$(VENV)/bin/pip install --disable-pip-version-check -q "torch==2.13.0"
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .[study]
	$(VENV)/bin/python -m pytest -q --durations=5 tests/study_parity.py tests/study_checkpoint.py tests/study_import.py tests/study_bench.py tests/study_speech.py tests/study_training.py
	@if [ -d $(DATA)/../fixtures ]; then \
	  FIXTURES=$(DATA)/../fixtures $(VENV)/bin/python -m pytest -q tests/study_fixtures.py; \
	else echo "not tested, no $(DATA)/../fixtures here: networks of full size"; fi

lint: $(VENV)/dev
	$(VENV)/bin/ruff check .

bench: $(VENV)/run
	$(VENV)/bin/edgeface bench

reliability: $(VENV)/dev
	$(VENV)/bin/python tests/reliability.py losses
	$(VENV)/bin/python tests/reliability.py soak

install:
	tests/packages.sh $(RUN_PACKAGES)
	PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) PYTHON=$(SERVICE_PYTHON) systemd/install.sh

uninstall:
	PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) systemd/uninstall.sh

train: $(VENV)/train
	$(VENV)/bin/python -m edgeface.training.prepare --data $(DATA) --cache $(CACHE)
	$(VENV)/bin/python -m edgeface.training.animate --data $(DATA) --cache $(CACHE)
	$(VENV)/bin/python -m edgeface.training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/real --epochs 160
	$(VENV)/bin/python -m edgeface.training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/mixed \
	  --start-from $(CACHE)/real/state.pt --animated 0.35 --rate 1e-3 --epochs 130 --seed 3
	$(VENV)/bin/python -m edgeface.training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/last \
	  --start-from $(CACHE)/mixed/state.pt --animated 0.3 --rate 4e-4 --epochs 45 --seed 4
	$(VENV)/bin/python -m edgeface.training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/wide \
	  --start-from $(CACHE)/last/state.pt --animated 0.5 --rate 4e-4 --epochs 55 --seed 6
	$(VENV)/bin/python -m edgeface.training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/human \
	  --start-from $(CACHE)/wide/state.pt --animated 0.55 --rate 1e-3 --epochs 160 --seed 7
	$(VENV)/bin/python -m edgeface.training.mix $(CACHE)/wide/state.pt $(CACHE)/human/state.pt -o $(CACHE)/mean.pt
	$(VENV)/bin/python -m edgeface.training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/loud \
	  --start-from $(CACHE)/mean.pt --rate 7e-4 --epochs 24 --seed 9 --workers 2
	$(VENV)/bin/python -m edgeface.training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/sharp \
	  --start-from $(CACHE)/mean.pt --animated 0.5 --rate 8e-4 --epochs 250 --seed 10 --workers 2
	$(VENV)/bin/python -m edgeface.training.mix $(CACHE)/mean.pt $(CACHE)/loud/state.pt $(CACHE)/sharp/state.pt \
	  -o $(CACHE)/four.pt
	$(VENV)/bin/python -m edgeface.training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/cut \
	  --start-from $(CACHE)/four.pt --rate 6e-4 --epochs 40 --seed 13 --workers 2
	$(VENV)/bin/python -m edgeface.training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/voices \
	  --start-from $(CACHE)/four.pt --animated 0.5 --rate 8e-4 --epochs 150 --seed 14 --workers 2
	$(VENV)/bin/python -m edgeface.training.mix $(CACHE)/four.pt $(CACHE)/cut/state.pt $(CACHE)/voices/state.pt \
	  -o $(CACHE)/middle.pt
	$(VENV)/bin/python -m edgeface.training.train --data $(DATA) --cache $(CACHE) -o $(CACHE)/calm \
	  --start-from $(CACHE)/middle.pt --animated 0.5 --rate 6e-4 --epochs 110 --seed 15 --workers 2
	$(VENV)/bin/python -m edgeface.training.mix $(CACHE)/four.pt $(CACHE)/cut/state.pt \
	  $(CACHE)/calm/state.pt $(CACHE)/calm/state.pt $(CACHE)/calm/state.pt -o $(CACHE)/default.pt
	$(VENV)/bin/python -m edgeface.training.export $(CACHE)/default.pt -o edgeface/model/default --version 5
	$(VENV)/bin/python -m edgeface.training.evaluate --data $(DATA) --cache $(CACHE) --plots docs/plots
	$(VENV)/bin/python -m edgeface.training.filmed --cache $(CACHE)

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
	tests/packages.sh $(RUN_PACKAGES) $(TRAIN_PACKAGES)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -q "torch==2.13.0"
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .[train]
	touch $@ $(VENV)/run

clean:
	rm -rf $(VENV) .venv-* build dist *.egg-info .pytest_cache .hypothesis .ruff_cache
