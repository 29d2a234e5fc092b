"""Processes of stages: what they print, and that a signal ends them and what they started."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from support.process import wait_for

from training.processes import Processes, Stopped, stopped_by_signals
from training.recipe import REPOSITORY, Recipe, Stage
from training.records import Records
from training.runner import Runner

WAIT_S = 20  # for what happens at once on an idle machine
# a module that prints, and waits for the file that its argument names; its child outlives it
MODULE = """
import signal, subprocess, sys, time
from pathlib import Path
from training.command import run

def main():
    folder = Path(sys.argv[1])
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    (folder / "child").write_text(str(child.pid))
    print("begun")
    try:
        (folder / "begun").touch()
        while not (folder / "go on").exists():
            time.sleep(0.02)
        child.kill()
    finally:
        (folder / "tidied").touch()
    print("ended", file=sys.stderr)

run(main)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Its folder; `patient` is its name."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    (tmp_path / "patient.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(REPOSITORY)]))
    return tmp_path


def is_running(number):
    try:
        with open(f"/proc/{number}/stat") as file:
            return file.read().split()[2] != "Z"
    except FileNotFoundError:
        return False


def records(tmp_path):
    return Records(tmp_path, {"cache": str(tmp_path), "version": "7"})


def test_lines_of_stages_side_by_side_bear_their_names_as_they_are_printed(module, capfd):
    ended = []
    processes = Processes(2)

    def run():
        ended.append(processes.run("a", ["patient", str(module)]))

    threading.Thread(target=run, daemon=True).start()
    printed = []
    wait_for(lambda: printed.append(capfd.readouterr().out) or "".join(printed) == "a: begun\n")
    (module / "go on").touch()
    wait_for(lambda: ended)
    assert ended == [0] and capfd.readouterr().out == "a: ended\n"


def test_a_single_stage_prints_itself(module, capfd):
    (module / "go on").touch()
    assert Processes(1).run("a", ["patient", str(module)]) == 0
    assert capfd.readouterr() == ("begun\n", "ended\n")


def test_stages_side_by_side_share_the_cores(module, capfd, monkeypatch):
    (module / "threads.py").write_text('import os\nprint(os.environ.get("OMP_NUM_THREADS"))')
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 9)
    for at_once in (1, 2, 20):
        Processes(at_once).run("a", ["threads"])
    assert capfd.readouterr().out == "None\na: 4\na: 1\n"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    Processes(2).run("a", ["threads"])
    assert capfd.readouterr().out == "a: 3\n"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_signal_ends_a_stage_and_its_children_and_the_next_call_goes_on(jobs, module):
    stage = Stage("a", "waits", "patient {cache}")
    recipe = Recipe("7", [], [stage, Stage("b", "never runs", "patient {cache}", ["a"])])
    processes = Processes(jobs)

    def interrupt():
        wait_for((module / "begun").exists)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    threading.Thread(target=interrupt).start()
    with pytest.raises(Stopped, match="stopped by SIGTERM; the same command"), stopped_by_signals():
        Runner(recipe, records(module), jobs, processes).run()
    assert signal.getsignal(signal.SIGTERM) == before
    assert (module / "tidied").exists()
    child = int((module / "child").read_text())
    wait_for(lambda: not is_running(child))
    assert records(module).is_begun(stage) and not records(module).is_done(stage)
    assert not records(module).is_begun(recipe.stages[1])
    assert processes.run("b", ["patient", str(module)]) != 0  # none starts after that
    (module / "go on").touch()
    Runner(recipe, records(module), jobs, Processes(jobs)).run()
    assert all(records(module).is_done(one) for one in recipe.stages)


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


# the command with another recipe
COMMAND = """
import training.__main__ as command
from training.command import run
from training.recipe import Recipe, Stage

stages = [Stage("a", "waits", "patient {cache}"), Stage("b", "is listed", "platform")]
command.load = lambda: Recipe("7", [], stages)
run(command.main)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_by_a_signal_with_one_line_and_goes_on(number, module):
    arguments = [sys.executable, "-c", COMMAND, "--cache", str(module)]
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: (module / "begun").exists() and (module / "recipe" / "b.json").exists())
    running.send_signal(number)
    out, err = running.communicate(timeout=WAIT_S)
    assert running.returncode == 128 + number
    assert err == f"error: stopped by {number.name}; the same command goes on from there\n"
    assert "[1/2] a: waits" in out and "a: begun" in out
    child = int((module / "child").read_text())
    wait_for(lambda: not is_running(child))
    (module / "go on").touch()
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "a: ended" in done and "[1/2] a: took 0:00:" in done
