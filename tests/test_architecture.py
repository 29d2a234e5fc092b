"""The order of the rooms: imports run down, never up.

The table in `docs/architecture.md` declares the order. A room is a folder of the package, or a
module at its root; it imports rooms of lower rows only. Every import counts, also one inside a
function.
"""

import ast
import os
import re
from pathlib import Path

import edgeface

PACKAGE = Path(edgeface.__file__).parent
ROOT = "edgeface"
ARCHITECTURE = Path(__file__).parent.parent / "docs" / "architecture.md"

# the package itself, `import edgeface`: what other programs see, over the rooms named here alone
PUBLIC = {"voice", "shm"}
# what the daemon never loads
NOT_IN_THE_DAEMON = ("bench", "importer", "commands")
LIBRARIES_NOT_IN_THE_DAEMON = ("torch", "onnx", "transformers", "scipy", "matplotlib", "training")


def modules():
    """Names to paths: `edgeface.core.clock`, and `edgeface.core` for its __init__."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = (ROOT, *path.relative_to(PACKAGE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports_of(name):
    """Pairs (line, imported module) of a module's imports."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join(above + ([node.module] if node.module else []))
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield node.lineno, whole if whole in MODULES else base


GRAPH = {name: sorted(set(imports_of(name))) for name in MODULES}


def declared_floors():
    """Height of every room in the architecture's table, 0 for the lowest row."""
    table = (
        ARCHITECTURE.read_text(encoding="utf-8").partition("## Rooms\n")[2].partition("\n## ")[0]
    )
    rows = re.findall(r"^\| (`.*?) \|", table, re.M)
    return {
        room: height for height, row in enumerate(rows[::-1]) for room in re.findall(r"`(\w+)", row)
    }


FLOORS = declared_floors()


def room_of(name):
    """The room of a module; "" for the package itself."""
    return name.split(".")[1] if "." in name else ""


def arrows():
    """(importing module, line, imported module) of all imports of one room from another."""
    for name, imports in GRAPH.items():
        for line, imported in imports:
            if imported in MODULES and room_of(name) != room_of(imported):
                yield name, line, imported


def shown(name, line, imported):
    return f"{os.path.relpath(MODULES[name], PACKAGE.parent)}:{line} imports {imported}"


def closure(start):
    """Everything of the package that a module imports, directly or not; name to who imported it."""
    found, waiting = {start: None}, [start]
    while waiting:
        name = waiting.pop()
        for _, imported in GRAPH[name]:
            if imported in MODULES and imported not in found:
                found[imported] = name
                waiting.append(imported)
    return found


def way_to(name, found):
    names = [name]
    while found[names[-1]] is not None:
        names.append(found[names[-1]])
    return " <- ".join(names)


def test_every_room_has_a_floor():
    rooms = {room_of(name) for name in MODULES} - {"", "__main__"}
    missing = sorted(rooms - set(FLOORS))
    assert not missing, f"rooms that {ARCHITECTURE} lacks: {', '.join(missing)}"
    unexpected = sorted(set(FLOORS) - rooms)
    assert not unexpected, f"no rooms, but in {ARCHITECTURE}: {', '.join(unexpected)}"


def test_no_import_runs_up():
    wrong = []
    for name, line, imported in arrows():
        here, there = room_of(name), room_of(imported)
        if here in FLOORS and there in FLOORS and FLOORS[there] >= FLOORS[here]:
            wrong.append(f"{shown(name, line, imported)}: {there} is not below {here}")
    assert not wrong, "imports that do not run down:\n" + "\n".join(wrong)


def test_the_package_itself_is_a_door_to_few_rooms():
    wrong = [
        shown(name, line, imported)
        for name, line, imported in arrows()
        if name == ROOT and room_of(imported) not in PUBLIC
    ]
    assert not wrong, "the package imports more than its public rooms:\n" + "\n".join(wrong)


def test_modules_do_not_import_each_other_in_a_circle():
    circles = []
    for name in MODULES:
        for _, imported in GRAPH[name]:
            if imported in MODULES and imported != name:
                found = closure(imported)
                if name in found:
                    circles.append(way_to(name, found))
    assert not circles, "circles:\n" + "\n".join(sorted(circles))


def test_the_ground_floor_imports_nothing_of_the_house():
    wrong = [shown(*arrow) for arrow in arrows() if room_of(arrow[0]) == "core"]
    assert not wrong, "core imports other rooms:\n" + "\n".join(wrong)


def test_the_runtime_knows_no_model():
    """`model/runtime` runs graphs; what they mean is the business of the modules above it."""
    wrong = [
        shown(name, line, imported)
        for name in MODULES
        if name.startswith(f"{ROOT}.model.runtime")
        for line, imported in GRAPH[name]
        if imported.startswith(f"{ROOT}.model") and not imported.startswith(f"{ROOT}.model.runtime")
    ]
    assert not wrong, "model/runtime imports what it is built for:\n" + "\n".join(wrong)


def test_the_daemon_loads_neither_benchmarks_nor_the_importer_nor_torch():
    found = closure(f"{ROOT}.daemon.daemon")
    rooms = [way_to(name, found) for name in sorted(found) if room_of(name) in NOT_IN_THE_DAEMON]
    assert not rooms, "the daemon imports:\n" + "\n".join(rooms)
    libraries = [
        f"{way_to(name, found)} imports {imported}"
        for name in sorted(found)
        for _, imported in GRAPH[name]
        if imported.split(".")[0] in LIBRARIES_NOT_IN_THE_DAEMON
    ]
    assert not libraries, "the daemon imports libraries of the workshop:\n" + "\n".join(libraries)


def test_nothing_in_the_wheel_imports_the_training():
    wrong = [
        shown(name, line, imported)
        for name in MODULES
        for line, imported in GRAPH[name]
        if imported.split(".")[0] == "training"
    ]
    assert not wrong, "the package imports training:\n" + "\n".join(wrong)
