"""The floors of the house: a module imports from lower floors or from its own folder, and from nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import digitnet

# From the ground up. A room is a module or a folder of src/digitnet; rooms on one floor don't know each other.
FLOORS = [
    {"errors", "installation", "progress"},
    {"wording"},
    {"checks", "exits", "files", "frames", "metrics", "finding", "pages", "photographs"},
    {"config"},
    {"presets"},
    {"data", "engines"},
    {"run_folder", "modelfile"},
    {"networks", "reading"},
    {"augmentation", "tracking"},
    {"training"},
    {"evaluation"},
    {"exporting", "reporting"},
    {
        "trials",
        "explaining",
        "serving",
        "estimator",
    },  # explaining is in no wing: it stands above both, as cli does
    {"comparing"},
    {"adapting"},  # neither is adapting: it fine-tunes what the reader reads with
    {"cli"},
    {"__init__", "__main__"},  # the front doors: outsiders come in here, the house itself never does
]

# Two wings, and modelfile is the only door between them: neither imports the other.
WINGS = [
    {
        "networks",
        "augmentation",
        "tracking",
        "training",
        "evaluation",
        "exporting",
        "reporting",
        "trials",
        "comparing",
        "estimator",
    },
    {"reading", "serving"},
]

FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}
WING = {room: number for number, wing in enumerate(WINGS) for room in wing}


def breaches(module: str, source: str) -> list[str]:
    """Say, in a sentence each, which imports of `module` (``data.load``; its text is `source`) leave its floor."""
    room = module.partition(".")[0]
    if room not in FLOOR:
        return [f"digitnet.{module}: place the new room {room!r} in the table FLOORS of {Path(__file__).name}."]
    found = []
    for line, other in rooms_imported(module, source):
        if other == room:
            continue
        if other not in FLOOR:
            found.append(f"digitnet.{module}, line {line}: imports {other!r}, a room that FLOORS doesn't place.")
        elif WING.get(room, other) != WING.get(other, room) and {room, other} <= WING.keys():
            found.append(f"digitnet.{module}, line {line}: imports {other!r} of the other wing.")
        elif FLOOR[other] >= FLOOR[room]:
            found.append(
                f"digitnet.{module}, line {line}: imports {other!r} of floor {FLOOR[other]}, and may import only "
                f"from below its own floor {FLOOR[room]} or from its own folder."
            )
    return found


def rooms_imported(module: str, source: str) -> Iterator[tuple[int, str]]:
    """Yield line and room of each import of the house's own, wherever in the text it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                folder = ["digitnet", *module.split(".")][: -node.level]
                base = ".".join([*folder, base] if base else folder)
            targets = [f"{base}.{alias.name}" for alias in node.names] if base == "digitnet" else [base]
        else:
            continue
        for target in targets:
            house, _, inside = target.partition(".")
            if house == "digitnet":
                room = inside.partition(".")[0]
                public = room in digitnet.__all__  # a public name comes through the front door
                yield node.lineno, "__init__" if public or not room else room


SOURCES = Path(digitnet.__file__).parent


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCES).with_suffix("").parts)


MODULES = {module_name(path): path for path in sorted(SOURCES.rglob("*.py"))}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_below_or_from_its_own_folder(module: str) -> None:
    assert breaches(module, MODULES[module].read_text(encoding="utf-8")) == []


def test_the_whole_house_was_read() -> None:
    assert {"__init__", "cli.main", "config", "data.dataset", "training.train"} <= MODULES.keys()


def test_a_room_stands_on_one_floor_and_in_one_wing() -> None:
    assert len(FLOOR) == sum(map(len, FLOORS))
    assert len(WING) == sum(map(len, WINGS))
    assert WING.keys() <= FLOOR.keys()


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("metrics", "import numpy, digitnet.files as f", "imports 'files' of floor 2"),
        ("metrics", "from .config import TrainConfig", "imports 'config' of floor 3"),
        ("config", "from digitnet import TrainConfig", "imports '__init__' of floor"),
        ("data.load", "def load():\n    from ..run_folder import Run", "imports 'run_folder' of floor"),
        ("reading.find", "from digitnet.networks.models import build_network", "of the other wing"),
        ("cli.read", "from digitnet.attic import dust", "imports 'attic', a room that FLOORS doesn't place"),
        ("attic.dust", "import json", "place the new room 'attic' in the table FLOORS"),
    ],
)
def test_a_planted_violation_is_found(module: str, source: str, found: str) -> None:
    (sentence,) = breaches(module, source)
    assert found in sentence
