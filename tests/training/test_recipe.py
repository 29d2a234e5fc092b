"""The recipe's own machinery: stages in their order, resumed, run afresh."""

import importlib
import re
import subprocess
import sys

import pytest

from edgeface.core.errors import DataError, UsageError
from training.recipe import REPOSITORY, Recipe, Runner, Stage, StageFailed, load


class Commands:
    """Stands for the commands of stages; `fail` names what fails."""

    def __init__(self):
        self.ran = []
        self.fail = None

    def __call__(self, arguments):
        self.ran.append(arguments[0])
        return 3 if arguments[0] == self.fail else 0


@pytest.fixture
def commands():
    return Commands()


def recipe(**changed):
    """Three stages; `changed` replaces commands."""
    stages = [
        Stage(name, f"makes {name}", changed.get(name, f"{name} {{cache}}"), [f"{{cache}}/{name}"])
        for name in ("one", "two", "three")
    ]
    return Recipe("7", [], stages)


def runner(tmp_path, commands, **changed):
    places = {"cache": str(tmp_path), "version": "7"}
    return Runner(recipe(**changed), tmp_path, places, commands)


def test_stages_run_in_order_and_once(tmp_path, commands, capsys):
    runner(tmp_path, commands).run()
    assert commands.ran == ["one", "two", "three"]
    runner(tmp_path, commands).run()
    assert commands.ran == ["one", "two", "three"]
    out = capsys.readouterr().out.splitlines()
    assert out[:2] == ["[1/3] one: makes one", "[2/3] two: makes two"]
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
    runner(tmp_path, commands).run(only="two")
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
        places = {"cache": str(tmp_path), "device": device, "version": version}
        stages = recipe(two="two {device}", three="three {version}")
        Runner(stages, tmp_path, places, commands).run()
    assert commands.ran == ["one", "two", "three", "three"]


def test_an_unknown_stage_is_an_error(tmp_path, commands):
    for options in ({"first": "four"}, {"only": "four"}):
        with pytest.raises(UsageError, match="unknown stage four; the recipe has one, two, three"):
            runner(tmp_path, commands).run(**options)
    assert commands.ran == []


@pytest.mark.parametrize(
    "text, message",
    [
        ("stages: [{name: a}]", "no recipe"),
        ("version: 1\npython: []\nstages: [{name: a, about: b, command: c, colour: d}]", "colour"),
        (
            "version: 1\npython: []\nstages: [{name: a, about: b, command: c}, "
            "{name: a, about: b, command: c}]",
            "two stages have one name",
        ),
        ("[", "no recipe"),
    ],
)
def test_a_recipe_that_is_none_is_named(text, message, tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        load(path)


def test_every_stage_calls_a_command_that_is_there_with_options_that_it_has(capsys):
    places = {name: name for name in ("data", "cache", "out", "device", "version")}
    for stage in load().stages:
        module, *options = stage.arguments(places)
        name = f"{module}.__main__" if module == "training.data" else module
        main = importlib.import_module(name).main
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [module, "--help"])
            with pytest.raises(SystemExit):
                main()
        usage = capsys.readouterr().out.partition("Example")[0]
        known = re.findall(r"-[\w-]+", usage)
        assert not [word for word in options if word.startswith("-") and word not in known]
        if module == "training.data":
            assert options[0] in usage


def test_packages_are_listed_once_and_no_game_is_among_them():
    debian = load().packages("debian")
    assert debian == sorted(set(debian)) and "flite" in debian and "gcc" in debian
    every = [*debian, *load().packages("nonfree"), *load().packages("judges")]
    games = ("scummvm", "flight-of-the-amazon-queen", "beneath-a-steel-sky", "drascula")
    assert not [name for name in every if name.startswith(games)]
    assert not set(load().packages("judges")) & set(load().packages("nonfree"))
    assert load().packages("python")[0].startswith("torch==")


def call(*options):
    return subprocess.run(
        [sys.executable, "-m", "training", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def test_the_command_lists_refuses_and_names_what_is_wrong(tmp_path):
    listed = call("--list", "--cache", str(tmp_path))
    assert [line.split()[:2] for line in listed.stdout.splitlines()][:2] == [
        ["sounds", "-"],
        ["voices", "-"],
    ]
    unknown = call("--only", "dinner", "--cache", str(tmp_path))
    assert unknown.returncode == 2 and unknown.stderr.startswith("error: unknown stage dinner")
    inside = call("--cache", str(REPOSITORY / "cache"))
    assert inside.returncode == 2 and "is in the repository" in inside.stderr
    failed = call("--only", "talker", "--cache", str(tmp_path), "--data", str(tmp_path))
    assert failed.returncode == 70 and "stage talker failed" in failed.stderr
    assert list(tmp_path.iterdir()) != []
