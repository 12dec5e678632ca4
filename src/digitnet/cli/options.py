"""Arguments that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from digitnet.engines.options import EngineOptions

RunFolder = Annotated[Positional[Path], arg(metavar="RUN")]
DataName = Annotated[Positional[str], arg(metavar="DATA")]
Format = Literal["text", "json"]
EngineFlags = OmitArgPrefixes[EngineOptions]
