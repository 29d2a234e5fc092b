"""The rooms of the training stand in one direction."""

import ast
from pathlib import Path

import training

ROOMS = ("signal", "phonetics", "data", "targets", "batches", "network", "judge", "head")
# those that a room may import from, besides itself
BELOW = {
    "signal": (),
    "phonetics": ("signal",),
    "data": ("signal", "phonetics"),
    "targets": ("signal", "phonetics", "data"),
    "batches": ("signal", "phonetics", "data"),  # beside targets, neither imports the other
    "network": ("signal", "phonetics", "data", "targets", "batches"),
    "head": (),
    "judge": ("signal", "phonetics", "data", "targets", "batches", "network"),
}
GROUND = "command"  # for all commands; imports no room
FOLDER = Path(training.__file__).parent


def imported(path):
    """Full names of the modules that a module imports."""
    package = ("training", *path.relative_to(FOLDER).parent.parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = [*base, *([node.module] if node.module else [])]
            for name in node.names:
                yield ".".join([*module, name.name])


def room_of(name):
    parts = name.split(".")
    return parts[1] if parts[0] == "training" and len(parts) > 1 else None


def test_every_folder_is_a_room_and_says_what_it_is():
    folders = {path.parent.name for path in FOLDER.glob("*/*.py")}
    assert folders == set(ROOMS) == set(BELOW)
    for path in FOLDER.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path


def test_no_room_imports_from_a_later_one():
    arrows, wrong = set(), []
    for path in FOLDER.glob("*/*.py"):
        room = path.parent.name
        for name in imported(path):
            other = room_of(name)
            if other not in (None, room, GROUND):
                arrows.add((room, other))
                if other not in BELOW[room]:
                    wrong.append(f"{path.relative_to(FOLDER)} imports {name}")
    assert wrong == []
    assert len(arrows) > 12  # they were found


def test_the_ground_floor_imports_no_room():
    assert not [name for name in imported(FOLDER / f"{GROUND}.py") if room_of(name)]


def test_no_module_imports_one_that_imports_it():
    graph = {}
    for path in FOLDER.rglob("*.py"):
        name = ".".join(("training", *path.relative_to(FOLDER).with_suffix("").parts))
        graph[name] = set(imported(path))
    known = set(graph)
    edges = {
        name: {
            other
            for found in names
            for other in (found, found.rpartition(".")[0])
            if other in known and other != name
        }
        for name, names in graph.items()
    }
    left = dict(edges)
    while left:
        free = [name for name, needs in left.items() if not needs & set(left)]
        assert free, f"in a circle: {sorted(left)}"
        for name in free:
            del left[name]


def test_the_daemon_imports_nothing_of_the_training():
    package = FOLDER.parent / "edgeface"
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            assert not [name for name in names if name.split(".")[0] == "training"], path
