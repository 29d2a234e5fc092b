"""Stages run in their order and side by side, are resumed, or run afresh."""

import json
import threading
import time

import pytest

from edgeface.core.errors import UsageError
from training.recipe import Recipe, Stage
from training.records import Records
from training.runner import Runner, StageFailed

WAIT_S = 20  # for what happens at once on an idle machine


class Commands:
    """Stands for the processes of stages; `fail` names what fails."""

    def __init__(self):
        self.ran = []
        self.fail = None
        self.stopped = False

    def run(self, name, arguments):
        self.ran.append(arguments[0])
        return 3 if arguments[0] == self.fail else 0

    def stop(self):
        self.stopped = True


class Held(Commands):
    """Each stage goes on until `release` names it."""

    def __init__(self):
        super().__init__()
        self._changed = threading.Condition()
        self._released = set()

    def run(self, name, arguments):
        with self._changed:
            status = super().run(name, arguments)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: name in self._released, WAIT_S)
        return status

    def release(self, *names):
        with self._changed:
            self._released.update(names)
            self._changed.notify_all()

    def wait_for(self, *names):
        """Until these were begun, in any order, and no others."""
        with self._changed:
            assert self._changed.wait_for(lambda: set(self.ran) >= set(names), WAIT_S), self.ran
            assert sorted(self.ran) == sorted(names)


@pytest.fixture
def commands():
    return Commands()


def recipe(**changed):
    """Three stages, each after the one above it; `changed` replaces commands."""
    return graph(
        {"one": [], "two": ["one"], "three": ["two"]},
        **changed,
    )


def graph(after, **changed):
    """Stages by their names, and what each comes after."""
    stages = [
        Stage(
            name,
            f"makes {name}",
            changed.get(name, f"{name} {{cache}}"),
            names,
            [f"{{cache}}/{name}"],
        )
        for name, names in after.items()
    ]
    return Recipe("7", [], stages)


def records(tmp_path, **places):
    return Records(tmp_path, {"cache": str(tmp_path), "version": "7", **places})


def runner(tmp_path, commands, stages=None, jobs=1, **changed):
    return Runner(stages or recipe(**changed), records(tmp_path), jobs, commands)


def test_stages_run_in_order_and_once(tmp_path, commands, capsys):
    runner(tmp_path, commands).run()
    assert commands.ran == ["one", "two", "three"]
    runner(tmp_path, commands).run()
    assert commands.ran == ["one", "two", "three"]
    out = capsys.readouterr().out.splitlines()
    assert out[:3] == ["[1/3] one: makes one", "[1/3] one: took 0:00:00", "[2/3] two: makes two"]
    assert out[-1] == "[3/3] three: done"


def test_a_stage_that_failed_goes_on_with_what_it_has(tmp_path, commands):
    commands.fail = "two"
    with pytest.raises(StageFailed, match="stage two failed with exit status 3"):
        runner(tmp_path, commands).run()
    (tmp_path / "two").touch()  # what it had made before it failed
    commands.fail = None
    runner(tmp_path, commands).run()
    assert commands.ran == ["one", "two", "two", "three"]
    assert (tmp_path / "two").exists()


def test_from_a_stage_on_all_is_made_afresh(tmp_path, commands):
    runner(tmp_path, commands).run()
    for name in ("one", "two"):
        (tmp_path / name).touch()
    (tmp_path / "three").mkdir()
    runner(tmp_path, commands).run(first="two")
    assert commands.ran[3:] == ["two", "three"]
    assert (tmp_path / "one").exists()
    assert not (tmp_path / "two").exists() and not (tmp_path / "three").exists()


def test_one_stage_alone_leaves_the_others(tmp_path, commands):
    runner(tmp_path, commands).run_only("two")
    assert commands.ran == ["two"]
    runner(tmp_path, commands).run()
    assert commands.ran == ["two", "one", "two", "three"]  # two had been made without one


def test_a_changed_command_runs_again_and_what_follows_it(tmp_path, commands):
    runner(tmp_path, commands).run()
    (tmp_path / "two").touch()
    runner(tmp_path, commands, two="two {cache} --more").run()
    assert commands.ran[3:] == ["two", "three"]
    assert not (tmp_path / "two").exists()


def test_another_place_or_device_is_no_change_but_another_version_is(tmp_path, commands):
    for version, device in (("7", "cpu"), ("7", "cuda"), ("8", "cuda")):
        stages = recipe(two="two {device}", three="three {version}")
        Runner(stages, records(tmp_path, device=device, version=version), 1, commands).run()
    assert commands.ran == ["one", "two", "three", "three"]


def test_an_unknown_stage_is_an_error(tmp_path, commands):
    for run in (runner(tmp_path, commands).run, runner(tmp_path, commands).run_only):
        with pytest.raises(UsageError, match="unknown stage four; the recipe has one, two, three"):
            run("four")
    assert commands.ran == []


# two arms and what joins them
ARMS = {"left": [], "right": [], "more": ["right"], "join": ["left", "more"], "apart": []}


class Running:
    """A runner in a thread of its own, and how it ended."""

    def __init__(self, run):
        self._error = None
        self._thread = threading.Thread(target=self._target, args=(run,), daemon=True)
        self._thread.start()

    def _target(self, run):
        try:
            run()
        except StageFailed as error:
            self._error = error

    def end(self):
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        if self._error:
            raise self._error


def test_stages_run_side_by_side_as_the_graph_allows_the_upper_ones_first(tmp_path):
    held = Held()
    running = Running(runner(tmp_path, held, graph(ARMS), jobs=2).run)
    held.wait_for("left", "right")
    held.release("right")
    held.wait_for("left", "right", "more")  # above apart, and need not wait for left
    held.release("more")
    held.wait_for("left", "right", "more", "apart")  # join waits for left
    held.release("left")
    held.wait_for("left", "right", "more", "apart", "join")
    held.release("join", "apart")
    running.end()
    assert all(records(tmp_path).is_done(stage) for stage in graph(ARMS).stages)


def test_one_job_runs_one_stage_at_once(tmp_path, commands):
    runner(tmp_path, commands, graph(ARMS)).run()
    assert commands.ran == list(ARMS)


def test_after_a_failure_what_runs_ends_and_nothing_begins(tmp_path, capsys):
    held = Held()
    held.fail = "right"
    running = Running(runner(tmp_path, held, graph(ARMS), jobs=2).run)
    held.wait_for("left", "right")
    held.release("right")
    while "right: failed with exit status 3" not in capsys.readouterr().out:
        time.sleep(0.01)
    held.release("left")
    with pytest.raises(StageFailed, match="stage right failed with exit status 3"):
        running.end()
    assert sorted(held.ran) == ["left", "right"] and not held.stopped
    left, right = graph(ARMS).stages[:2]
    assert records(tmp_path).is_done(left) and not records(tmp_path).is_done(right)
    again = Commands()
    runner(tmp_path, again, graph(ARMS)).run()
    assert again.ran == ["right", "more", "join", "apart"]


def test_only_what_comes_after_a_stage_is_made_again(tmp_path, commands):
    runner(tmp_path, commands, graph(ARMS)).run()
    for name in ARMS:
        (tmp_path / name).touch()
    apart = graph(ARMS).stage("apart")
    records(tmp_path).reset(apart)
    records(tmp_path).begin(apart)
    (tmp_path / "apart").touch()  # what it had made before it was cut off
    del commands.ran[:]
    runner(tmp_path, commands, graph(ARMS, right="right --more")).run()
    assert commands.ran == ["right", "more", "join", "apart"]
    assert {name for name in ARMS if (tmp_path / name).exists()} == {"left", "apart"}
    del commands.ran[:]
    runner(tmp_path, commands, graph(ARMS, right="right --more")).run("more")
    assert commands.ran == ["more", "join"]


def test_what_was_begun_on_outdated_results_is_begun_afresh(tmp_path, commands):
    commands.fail = "two"
    with pytest.raises(StageFailed):
        runner(tmp_path, commands).run()
    (tmp_path / "two").touch()
    commands.fail = None
    runner(tmp_path, commands, one="one --more").run()
    assert not (tmp_path / "two").exists()


def test_a_stage_that_was_cut_off_before_its_followers_were_outdated_runs_again(tmp_path, commands):
    runner(tmp_path, commands).run()
    stage = recipe(one="one --more").stages[0]
    records(tmp_path).begin(stage)  # and its process was killed
    runner(tmp_path, commands, one="one --more").run()
    assert commands.ran[3:] == ["one", "two", "three"]


def test_records_that_an_earlier_version_wrote_count(tmp_path, commands):
    (tmp_path / "recipe").mkdir()
    record = {"command": "one {cache}", "done": True, "seconds": 68}
    (tmp_path / "recipe" / "one.json").write_text(json.dumps(record))
    record = {"command": "two {cache}", "done": False, "seconds": 0}
    (tmp_path / "recipe" / "two.json").write_text(json.dumps(record))
    (tmp_path / "two").touch()
    runner(tmp_path, commands).run()
    assert commands.ran == ["two", "three"] and (tmp_path / "two").exists()
    written = json.loads((tmp_path / "recipe" / "two.json").read_text())
    assert written == {"command": "two {cache}", "done": True, "seconds": 0}


def test_the_seconds_of_all_runs_of_a_stage_count(tmp_path):
    kept = records(tmp_path)
    (stage, *_) = recipe().stages
    kept.begin(stage)
    kept.spend(stage, 40)
    assert kept.seconds(stage) == 0  # it is not done
    kept.begin(stage)
    kept.spend(stage, 2)
    kept.finish(stage)
    assert records(tmp_path).seconds(stage) == 42
    kept.reset(stage)
    kept.begin(stage)
    kept.finish(stage)
    assert kept.seconds(stage) == 0
