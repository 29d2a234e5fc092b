"""The recipe: its graph, the commands that its stages call, the packages that they need."""

import importlib
import re
import subprocess
import sys

import pytest

from edgeface.core.errors import DataError
from training.recipe import REPOSITORY, Recipe, Stage, load
from training.records import Records


def stages_after(after):
    """A recipe of stages by their names, and what each comes after."""
    stages = [Stage(name, f"makes {name}", name, names) for name, names in after.items()]
    return Recipe("7", [], stages)


# two arms and what joins them
ARMS = {"left": [], "right": [], "more": ["right"], "join": ["left", "more"], "apart": []}


def test_the_longest_chain_is_that_which_takes_longest_not_the_one_of_most_stages():
    seconds = {"left": 10, "right": 3, "more": 4, "join": 1, "apart": 2}
    assert stages_after(ARMS).longest_chain(seconds) == ["left", "join"]
    seconds["more"] = 8
    assert stages_after(ARMS).longest_chain(seconds) == ["right", "more", "join"]
    assert stages_after({}).longest_chain({}) == []


@pytest.mark.parametrize(
    "text, message",
    [
        ("stages: [{name: a}]", "no recipe"),
        ("version: 1\npython: []\nstages: [{name: a, about: b, command: c, colour: d}]", "colour"),
        (
            "version: 1\npython: []\nstages: [{name: a, about: b, command: c}, "
            "{name: a, about: b, command: c}]",
            "two stages have the name a",
        ),
        (
            "version: 1\npython: []\nstages: [{name: a, about: b, command: c, after: [d]}, "
            "{name: d, about: b, command: c}]",
            "a comes after d, no stage above it",
        ),
        (
            "version: 1\npython: []\nstages: [{name: a, about: b, command: c, after: [a]}]",
            "a comes after a, no stage above it",
        ),
        (
            "version: 1\npython: []\nstages: [{name: a, about: b, command: c, after: 3}]",
            "no recipe",
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


# what a stage of the recipe makes or reads, other than through the manifest
MADE = {
    "sounds": ["music and effects"],
    "voices": ["voices"],
    "talker": ["talker.json"],
    "recordings": ["acoustic.pt"],
    "animate": ["motion.pt", "animated.npz"],
    "lips": ["lips"],
    "phones": ["phones-run"],
    "motion": ["motion"],
    "motion-1": ["motion-1"],
    "motion-2": ["motion-2"],
    "motion-3": ["motion-3"],
    "motion-4": ["motion-4"],
    "motion-5": ["motion-5"],
    "export": ["bundle"],
}
HEARD = ["talker.json", "voices", "music and effects", "animated.npz"]
READ = {
    "recordings": ["talker.json"],
    "other-languages": ["acoustic.pt"],
    "animate": ["talker.json", "voices"],
    "lips": ["talker.json", "voices", "music and effects"],
    "phones": ["talker.json", "animated.npz", "lips"],
    "motion": [*HEARD, "phones-run"],
    "motion-1": [*HEARD, "motion"],
    "motion-2": [*HEARD, "motion"],
    "motion-3": [*HEARD, "motion"],
    "motion-4": [*HEARD, "motion-2", "motion-3"],
    "motion-5": [*HEARD, "motion-2", "motion-3"],
    "export": ["motion", "motion-1", "motion-2", "motion-3", "motion-4", "motion-5"],
    "evaluate": ["bundle", "music and effects", "acoustic.pt", "motion.pt"],
    "films": ["bundle"],
}


def test_a_stage_of_the_recipe_comes_after_all_that_makes_what_it_reads():
    stages = load()
    after = {stage.name: {one.name for one in stages.followers(stage)} for stage in stages.stages}
    for maker, made in MADE.items():
        readers = {name for name, read in READ.items() if set(read) & set(made)}
        assert readers <= after[maker], maker
    speech = {"flite", "espeak", "festival", "english-voices", "prompts", "festvox-ru"}
    for name in speech:
        assert {"recordings", "animate", "evaluate"} <= after[name]
    assert "animate" in after["other-languages"]
    assert "lips" not in after["recordings"] and "films" not in after["evaluate"]


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
    assert listed.stdout.splitlines()[-2:] == [
        "all that are done: 0:00:00",
        "longest chain: 0:00:00",
    ]
    unknown = call("--only", "dinner", "--cache", str(tmp_path))
    assert unknown.returncode == 2 and unknown.stderr.startswith("error: unknown stage dinner")
    inside = call("--cache", str(REPOSITORY / "cache"))
    assert inside.returncode == 2 and "is in the repository" in inside.stderr
    failed = call("--only", "talker", "--cache", str(tmp_path), "--data", str(tmp_path))
    assert failed.returncode == 70 and "stage talker failed" in failed.stderr
    assert list(tmp_path.iterdir()) != []


def test_the_command_lists_how_long_what_is_done_took(tmp_path):
    places = {"cache": str(tmp_path), "version": load().version}
    kept = Records(tmp_path, places)
    for name, seconds in (("talker", 68), ("flite", 136), ("espeak", 21), ("recordings", 3600)):
        kept.begin(load().stage(name))
        kept.spend(load().stage(name), seconds)
        kept.finish(load().stage(name))
    lines = call("--list", "--cache", str(tmp_path)).stdout.splitlines()
    assert "flite            done   0:02:16  speech of flite" in lines
    assert lines[-2:] == [
        "all that are done: 1:03:45",
        "longest chain: 1:02:16 (flite, recordings)",
    ]
    refused = call("--jobs", "0", "--cache", str(tmp_path))
    assert refused.returncode == 2 and "--jobs is 0" in refused.stderr
