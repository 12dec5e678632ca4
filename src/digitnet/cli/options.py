"""Flags that several commands share, and what the help says of flags whose default is None."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import DisallowNone, OmitArgPrefixes, Positional, arg
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructTypeInfo,
)

from digitnet.engines.options import EngineOptions
from digitnet.files import expand_home
from digitnet.reading.options import Format as ReadFormat
from digitnet.reading.options import ReadOptions

RunFolder = Annotated[Positional[Path], arg(metavar="RUN")]
DataName = Annotated[Positional[str], arg(metavar="DATA")]
MovedData = Annotated[str | None, arg(metavar="DATA", help_behavior_hint="(default: where it was)")]
"""Where the data of a run is now."""
Format = Literal["text", "json"]
Tracker = Literal["tensorboard", "mlflow"]
Switch = Annotated[bool, arg(help_behavior_hint="")]
"""A flag that is given or not; naming its default would say nothing."""

Engine = OmitArgPrefixes[DisallowNone[EngineOptions]]
Reading = Annotated[OmitArgPrefixes[DisallowNone[ReadOptions]], arg(name="")]


@dataclass(frozen=True)
class _EngineFlags(EngineOptions):
    jobs: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: one for each core)")] = None
    address: Annotated[str | None, arg(metavar="ADDRESS", help_behavior_hint="(default: this machine)")] = None


@dataclass(frozen=True)
class _ReadFlags(ReadOptions):
    model: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: digitnet's own)")] = None
    format: Annotated[ReadFormat | None, arg(help_behavior_hint="(default: text; with --out, csv)")] = None
    single: Switch = False
    digits: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: any number)")] = None
    page: Annotated[int, arg(metavar="N")] = 1
    expect: Annotated[str | None, arg(metavar="REGEX", help_behavior_hint="")] = None
    min_probability: Annotated[
        float | None,
        arg(
            metavar="P",
            help_behavior_hint="(default: the model's own, 0.75 for digitnet's; docs/reading.md has a table)",
        ),
    ] = None
    save_picture: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None
    out: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    quiet: Switch = False


_FLAGS = {EngineOptions: _EngineFlags, ReadOptions: _ReadFlags}

REGISTRY = ConstructorRegistry()
"""How tyro makes the options of this module."""


@REGISTRY.struct_rule
def _annotate(info: StructTypeInfo) -> StructConstructorSpec | None:
    """Show the annotated flags, and make the plain options, which workers load without tyro."""
    if info.type not in _FLAGS:
        return None
    spec = ConstructorRegistry.get_struct_spec(replace(info, type=_FLAGS[info.type]))
    assert isinstance(spec, StructConstructorSpec)
    return replace(spec, instantiate=info.type)


@REGISTRY.primitive_rule
def _expand_home(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Path] | None:
    """Read ``~`` as the home folder, which shells leave as it is in ``--out=~/run``."""
    if info.type is not Path:
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="PATH",
        instance_from_str=lambda words: expand_home(words[0]),
        is_instance=lambda value: isinstance(value, Path),
        str_from_instance=lambda path: [str(path)],
    )
