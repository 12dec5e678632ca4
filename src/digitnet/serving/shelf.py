"""The models to choose from: those that come with digitnet, a named one, and those of runs at hand."""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from digitnet.errors import DigitnetError, ModelError, nearest
from digitnet.modelfile import checkpoints_of
from digitnet.reading.network import SHIPPED
from digitnet.reading.reader import Reader
from digitnet.serving.page_api.mistakes import find_mistakes

BLOG = SHIPPED.with_name("blog.onnx")
"""A network of the blog's kind with 4 and 8 filters: small enough to be shown whole."""

ADAPTED = "adapted.onnx"
"""The model that was adapted to a person's own digits, in the folder with them."""

_MODEL = "model.onnx"  # in a run's folder
_ADAPTED = Path(ADAPTED).stem
_RESERVED = "blog", "reader", _ADAPTED


@dataclass(frozen=True)
class Model:
    """A model file that can be chosen; it is loaded when it is first used."""

    name: str  # unique on the shelf
    path: Path

    @cached_property
    def reader(self) -> Reader:
        """The reader with this model; raises ModelError."""
        return Reader(self.path)

    @cached_property
    def checkpoints(self) -> "dict[str, Model]":
        """The same network at the steps of its training that were kept, if any, the first one first."""
        files = [file for file in checkpoints_of(self.path).glob("*.onnx") if file.stem.isdecimal()]
        ordered = sorted(files, key=lambda file: int(file.stem))
        return {file.stem: Model(f"{self.name}@{file.stem}", file) for file in ordered}

    @cached_property
    def mistakes(self) -> dict[str, Any]:
        """What it reads wrongly, see `find_mistakes`; raises what that raises."""
        return find_mistakes(self.reader)


def list_models(
    named: Path | None = None, runs: Path = Path("runs"), own_digits: Path | None = None
) -> dict[str, Model]:
    """List models by name: `named`, a model file or a run's folder, then digitnet's own, then those of `runs`.

    One that was adapted to the digits in the folder `own_digits` follows digitnet's own as ``adapted``. Raises
    ModelError if the named one can't be used.
    """
    own = [Model("blog", BLOG), Model("reader", SHIPPED)]
    if own_digits is not None and os.access(own_digits / ADAPTED, os.R_OK):
        own.append(_adapted(own_digits / ADAPTED))
    models = [*own, *(model for model in _find_runs(runs) if model.name not in _RESERVED)]
    if named is not None:
        path = _find_file(named)
        models = [model for model in models if model.path.resolve() != path.resolve()]
        name = named.stem if named.is_file() else named.resolve().name
        is_own = own_digits is not None and path.resolve() == (own_digits / ADAPTED).resolve()
        taken = {model.name for model in models if model.name in _RESERVED} | (set() if is_own else {_ADAPTED})
        chosen = Model(f"{name}-2" if name in taken else name, path)
        assert chosen.reader  # it must load
        models = [chosen, *(model for model in models if model.name != chosen.name)]
    return {model.name: model for model in models}


class UnknownModelError(DigitnetError):
    """There is no model of that name."""


def get_model(models: Mapping[str, Model], name: str) -> Model:
    """Get a model by its name, or one of its checkpoints as ``NAME@STEP``; raise UnknownModelError for others."""
    if name in models:
        return models[name]
    of, _, step = name.rpartition("@")
    if of in models and step in models[of].checkpoints:
        return models[of].checkpoints[step]
    raise UnknownModelError(f"There is no model {name!r}. {nearest(name, models)}")


def add_adapted(models: MutableMapping[str, Model], file: Path) -> None:
    """Put the model that was just adapted in the place of the one before, if there was one."""
    model = _adapted(file)
    models[model.name] = model


def _adapted(file: Path) -> Model:
    return Model(_ADAPTED, file)


def _find_file(named: Path) -> Path:
    if not named.is_dir():
        return named
    if (named / _MODEL).is_file():
        return named / _MODEL
    raise ModelError.mismatch(
        named, expected="a run with a model file", found="none in it", remedy=f"Run: digitnet export {named}"
    )


def _find_runs(runs: Path) -> Iterator[Model]:
    for file in sorted(runs.glob(f"*/{_MODEL}"), key=lambda path: -path.stat().st_mtime):
        yield Model(file.parent.name, file)
