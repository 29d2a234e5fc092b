# edgeface: `make run` and `make test` set up everything they need on Debian and Ubuntu.
PYTHON ?= python3
VENV := .venv
RUN_PACKAGES := python3-venv libportaudio2
TEST_PACKAGES := $(RUN_PACKAGES) gcc libc6-dev procps systemd pulseaudio pulseaudio-utils \
  pipewire pipewire-pulse wireplumber dbus libasound2-plugins strace \
  chromium chromium-driver espeak-ng festival festvox-italp16k xvfb openbox qemu-user-static \
  frozen-bubble-data sound-theme-freedesktop godot3-server $(if $(shell command -v npm),,npm)
CACHE ?= $(HOME)/.cache/edgeface
DATA ?= ../shared/data
DEVICE ?= cpu

# on the path itself, the package is found before a folder named edgeface (a clone) in the current one
ON_PATH = $(VENV)/bin/python -c "import sysconfig; \
  open(sysconfig.get_paths()['purelib'] + '/edgeface-clone.pth', 'w').write('$(CURDIR)\n')"

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
	@echo "make reliability  recovery times, a day of faults, a day of sound, a day of bridges (1.5 hours)"
	@echo "make install      edgeface and its services for all users (PREFIX=$(PREFIX), DESTDIR=)"
	@echo "make uninstall    removes them, with configuration and logs"
	@echo "make train        a bundle of the default model, by training/recipe.yaml (DATA=$(DATA),"
	@echo "                  CACHE=$(CACHE), DEVICE=$(DEVICE))"
	@echo "make clean        removes environments, caches and built packages"

run: $(VENV)/run
	@echo "edgeface: the command line is $(VENV)/bin/edgeface; for this shell: PATH=$(CURDIR)/$(VENV)/bin:\$$PATH"
	$(VENV)/bin/python -m edgeface.demo

test: $(VENV)/dev
	scripts/test.sh

test-torch: $(VENV)/dev
	scripts/apt-install.sh g++ python3-dev  # pip may have to build pyworld
	$(VENV)/bin/pip install --disable-pip-version-check -q \
	  $$($(VENV)/bin/python -m training --packages python)
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
	PYTHONPATH=.:tests $(VENV)/bin/python tests/system/faulty_day.py
	PYTHONPATH=.:tests $(VENV)/bin/python tests/system/reliability.py soak
	PYTHONPATH=.:tests $(VENV)/bin/python tests/system/bridge_soak.py

install:
	scripts/apt-install.sh $(RUN_PACKAGES)
	PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) PYTHON=$(SERVICE_PYTHON) systemd/install.sh

uninstall:
	PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) systemd/uninstall.sh

train: $(VENV)/train
	$(VENV)/bin/python -m training --data $(DATA) --cache $(CACHE) --device $(DEVICE)

# for avatars alone (edgeface view --avatar); nothing else needs npm
THREE = command -v npm >/dev/null && cd edgeface/view/page && timeout 120 npm ci --no-audit --no-fund --silent \
  || echo "edgeface: no three.js (npm is missing, or failed): edgeface view --avatar says how to install it"

# environments: a file in the environment says which of them it is
$(VENV)/run: setup.cfg edgeface/view/page/package-lock.json
	scripts/apt-install.sh $(RUN_PACKAGES)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .
	$(ON_PATH)
	@$(THREE)
	touch $@

$(VENV)/dev: setup.cfg
	scripts/apt-install.sh $(TEST_PACKAGES)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .[dev]
	$(ON_PATH)
	@$(THREE)
	touch $@ $(VENV)/run

$(VENV)/train: setup.cfg training/recipe.yaml
	scripts/apt-install.sh $(RUN_PACKAGES)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -q -e .
	$(ON_PATH)
	scripts/apt-install.sh $$($(VENV)/bin/python -m training --packages debian)
	scripts/apt-install.sh $$($(VENV)/bin/python -m training --packages nonfree) \
	  || { echo "they are in Debian's non-free and Ubuntu's multiverse"; exit 1; }
	$(VENV)/bin/pip install --disable-pip-version-check -q \
	  $$($(VENV)/bin/python -m training --packages python)
	touch $@ $(VENV)/run

clean:
	rm -rf $(VENV) .venv-* build dist *.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache
