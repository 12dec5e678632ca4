"""Find the command that was called, read its flags, and run it.

Answers go to standard output, progress and messages to standard error. Exit code 0 is success, 1 a failure in one
sentence, 2 a wrong command line, 130 or 143 an interruption that saved its state.

To add a command, write a function in a module of its own and name it in COMMANDS. Its signature becomes the flags,
its docstring the help, with an example; its imports are inside, so that ``--help`` stays quick.
"""

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import tyro
from tyro.conf import FlagCreatePairsOff

from digitnet.cli.adapt import adapt
from digitnet.cli.compare import compare
from digitnet.cli.data import data_convert, data_fetch, data_show
from digitnet.cli.evaluate import evaluate
from digitnet.cli.explain import explain
from digitnet.cli.export import export
from digitnet.cli.options import REGISTRY
from digitnet.cli.predict import predict
from digitnet.cli.read import read
from digitnet.cli.renamed import rename_flags
from digitnet.cli.report import report
from digitnet.cli.search import search
from digitnet.cli.serve import serve
from digitnet.cli.track import track
from digitnet.cli.train import train
from digitnet.cli.trials import trials
from digitnet.config import TrainConfig
from digitnet.errors import UsageError, nearest
from digitnet.exits import exit_code, is_follower
from digitnet.presets import PRESETS, preset, read_config
from digitnet.wording import answering

COMMANDS: dict[str, Callable[..., None]] = {
    "train": train,
    "track": track,
    "evaluate": evaluate,
    "report": report,
    "explain": explain,
    "export": export,
    "trials": trials,
    "search": search,
    "compare": compare,
    "predict": predict,
    "read": read,
    "serve": serve,
    "adapt": adapt,
    "data fetch": data_fetch,
    "data show": data_show,
    "data convert": data_convert,
}
"""Every command, by the words that call it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code; errors that a person can correct become one sentence."""
    with answering("command"):
        return exit_code(functools.partial(_dispatch, list(sys.argv[1:] if arguments is None else arguments)))


def _dispatch(words: list[str]) -> None:
    if not words or words[0] in ("-h", "--help"):
        print(_overview())
    elif words[0] == "--version":
        from importlib.metadata import version

        print(f"digitnet {version('digitnet')}")
    elif words[0] == "--print-completion":
        from digitnet.cli.completion import make_completion

        print(make_completion(" ".join(words[1:]), COMMANDS))
    else:
        name = _command_name(words)
        rest = rename_flags(name, words[len(name.split()) :])
        if name == "train":
            named = bool(rest) and not rest[0].startswith("-")
            start = _start(rest.pop(0)) if named else TrainConfig()
            _call(
                functools.partial(train, config=start, named=named),
                rest,
                f"digitnet train [{'|'.join(PRESETS)}|FILE.toml]",
            )
        else:
            _call(COMMANDS[name], rest, f"digitnet {name}")


def _start(name: str) -> TrainConfig:
    return read_config(Path(name)) if name.endswith(".toml") else preset(name)


def _call(command: Callable[..., None], arguments: Sequence[str], program: str) -> None:
    """Let tyro parse the flags by the command's signature; it exits with 2 if they are wrong."""
    prints = not is_follower()
    try:
        tyro.cli(
            command,
            args=arguments,
            prog=program,
            config=(FlagCreatePairsOff,),
            registry=REGISTRY,
            console_outputs=prints,
        )
    except SystemExit as leaving:
        if leaving.code == 2 and not prints:
            return  # or torchrun would kill rank 0, which leaves with the same code, before it has printed why
        raise


def _command_name(words: Sequence[str]) -> str:
    """Find the command that `words` begin with: one word, or two for ``data``."""
    for count in (2, 1):
        if " ".join(words[:count]) in COMMANDS:
            return " ".join(words[:count])
    group = [name for name in COMMANDS if name.startswith(words[0] + " ")]
    if group:
        asked = next((word for word in words[1:2] if not word.startswith("-")), "")
        raise UsageError(f"There is no command {f'{words[0]} {asked}'.strip()!r}. {nearest(asked, group)}")
    raise UsageError(f"There is no command {words[0]!r}. {nearest(words[0], COMMANDS)}")


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}   {_first_line(command)}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: digitnet COMMAND [FLAGS]",
            "",
            "Train a small network on MNIST, evaluate it honestly, and see where it fails.",
            "",
            *lines,
            "",
            "digitnet COMMAND --help explains a command. Start with: digitnet train",
            "digitnet --print-completion bash, fish or zsh prints what makes the shell complete all of this.",
        ]
    )


def _first_line(command: Callable[..., None]) -> str:
    return (command.__doc__ or "").partition("\n")[0]
