"""``digitnet --print-completion bash``: the script with which a shell completes commands, flags and choices."""

import contextlib
import io
from collections.abc import Callable, Mapping
from dataclasses import make_dataclass
from typing import Annotated, Any, Union

from tyro.conf import FlagCreatePairsOff, OmitSubcommandPrefixes, arg, subcommand
from tyro.extras import SubcommandApp

from digitnet.cli.options import REGISTRY
from digitnet.cli.train import train
from digitnet.errors import UsageError, nearest
from digitnet.presets import PRESETS

SHELLS = ("bash", "fish", "zsh")

# `digitnet train`: its flags, before or after the name of a preset.
_TRAIN = make_dataclass(
    "Train",
    {
        "flags": Annotated[Any, arg(name="", constructor=train)],
        "preset": Union[tuple(Annotated[Any, subcommand(name, constructor=train)] for name in PRESETS)],  # noqa: UP007
    }.items(),
)

# tyro completes the names of files after flags alone, in bash splits them at spaces, and offers None where it is
# not accepted. Single quotes, as the script for fish has the code between double ones.
_CHANGES = {
    "for completion in completions:": "for completion in completions or ['__TYRO_COMPLETE_FILES__']:",
    'COMPREPLY=($(compgen -f -- "$cur"))': "COMPREPLY=(); compopt -o default",
    "complete --no-files": "complete",
    "'None', ": "",
    ", 'None'": "",
}


def make_completion(shell: str, commands: Mapping[str, Callable[..., Any]]) -> str:
    """Make the script for ``bash``, ``fish`` or ``zsh``; raise UsageError for another shell."""
    if shell not in SHELLS:
        raise UsageError(f"There is no completion for the shell {shell!r}. {nearest(shell, SHELLS)}")
    groups = {"": SubcommandApp()}
    all_commands: dict[str, Callable[..., Any]] = {**commands, "train": _TRAIN}
    for name, command in all_commands.items():
        group, _, word = name.rpartition(" ")
        if group not in groups:
            groups[group] = groups[""].command(SubcommandApp(), name=group)
        groups[group].command(name=word)(command)
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        groups[""].cli(
            prog="digitnet",
            args=("--tyro-write-completion", shell, "-"),
            config=(FlagCreatePairsOff, OmitSubcommandPrefixes),
            registry=REGISTRY,
        )
    script = printed.getvalue()
    for theirs, ours in _CHANGES.items():
        script = script.replace(theirs, ours)
    return script
