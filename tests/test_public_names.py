"""The public names: each exists, is documented, and stands in every list that a reader or a tool looks at."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import digitnet

SOURCES = Path(digitnet.__file__).parent


def sorting_key(name: str) -> tuple[int, list[str | int]]:
    """Order as ruff's RUF022 does: CONSTANTS, Classes, functions; numbers inside names by their value."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def docstring(source: str, name: str) -> str:
    """Return the text under the definition of `name`; it is empty where there is none."""
    body = ast.parse(source).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return ast.get_docstring(node) or ""
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            text = after.value if isinstance(after, ast.Expr) else None
            return text.value if isinstance(text, ast.Constant) and isinstance(text.value, str) else ""
    return ""


def imported_for_types(source: str) -> dict[str, str]:
    """Map the names that a type checker sees to the modules that they come from."""
    return {
        alias.name: node.module or ""
        for block in ast.parse(source).body
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_public_names_are_sorted_and_come_once() -> None:
    assert digitnet.__all__ == sorted(set(digitnet.__all__), key=sorting_key)


@pytest.mark.parametrize("name", digitnet.__all__)
def test_a_public_name_is_what_its_home_calls_by_that_name(name: str) -> None:
    home = importlib.import_module(f"digitnet.{digitnet._HOMES[name]}")
    assert getattr(digitnet, name) is getattr(home, name)


@pytest.mark.parametrize("name", digitnet.__all__)
def test_a_public_name_is_documented_where_it_is_made(name: str) -> None:
    source = (SOURCES / f"{digitnet._HOMES[name].replace('.', '/')}.py").read_text(encoding="utf-8")
    assert len(docstring(source, name).split()) >= 3


@pytest.mark.parametrize("name", digitnet.__all__)
def test_a_public_name_is_in_the_reference(name: str) -> None:
    reference = (SOURCES.parent.parent / "docs" / "python.md").read_text(encoding="utf-8")
    assert re.search(rf"^\.\. auto\w+:: digitnet\.(\w+\.)*{name}$", reference, re.MULTILINE)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def train():\n    'Train it.'", "Train it."),
        ("class train:\n    'A train.'", "A train."),
        ("train: int = 1\n'Seats.'", "Seats."),
        ("train = 1\n'Seats.'", "Seats."),
        ("def train():\n    pass", ""),
        ("@dataclass\nclass train:\n    x: int", ""),
        ("train = 1\nother = 2\n'Of the other.'", ""),
        ("train = 1", ""),
        ("def other():\n    'Other.'", ""),
    ],
)
def test_a_missing_docstring_is_noticed(source: str, found: str) -> None:
    assert docstring(source, "train") == found


def test_python_the_type_checker_and_dir_know_the_same_names() -> None:
    homes = {name: f"digitnet.{home}" for name, home in digitnet._HOMES.items()}
    assert sorted(homes) == sorted(digitnet.__all__)
    assert imported_for_types(Path(digitnet.__file__).read_text(encoding="utf-8")) == homes
    assert dir(digitnet) == sorted(digitnet.__all__)


def test_a_star_brings_the_public_names_and_no_others() -> None:
    names: dict[str, object] = {}
    exec("from digitnet import *", names)
    assert names.keys() - {"__builtins__"} == set(digitnet.__all__)


@pytest.mark.parametrize("name", ["Train", "trian", "__wrapped__", ""])
def test_any_other_name_is_an_attribute_error(name: str) -> None:
    assert not hasattr(digitnet, name)
    with pytest.raises(AttributeError, match=f"module 'digitnet' has no attribute '{name}'"):
        getattr(digitnet, name)
