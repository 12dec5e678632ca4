"""How a command ends: with an exit code, and one sentence if a person can correct something.

What can't be written to standard output, because a disk is full for example, is such a sentence. What can't be
written to standard error is lost, as there is nobody to tell.
"""

import io
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

from digitnet.errors import DigitnetError, OutputError

_TRAIN = (
    "jinja2",
    "matplotlib",
    "onnx",
    "onnxscript",
    "safetensors",
    "scipy",
    "skimage",
    "statsmodels",
    "torch",
)
_EXTRAS = {
    **dict.fromkeys(("alembic", "mlflow", "sqlalchemy"), "mlflow"),
    **dict.fromkeys(_TRAIN, "train"),
    "optuna": "search",
    "pyarrow": "tables",
    "tensorboard": "tensorboard",
    **dict.fromkeys(
        (
            "anyio",
            "fastapi",
            "fastapi_offline",
            "httptools",
            "prometheus_client",
            "pydantic",
            "starlette",
            "uvicorn",
        ),
        "serve",
    ),
}


def exit_code(command: Callable[[], None]) -> int:
    """Run a command and return its exit code; print errors that a person can correct as one sentence."""
    try:
        try:
            command()
        finally:
            sys.stdout.flush()
    except DigitnetError as error:
        if isinstance(error, OutputError):
            _discard_output()
        if is_follower():
            return 0  # a failure would make torchrun kill rank 0 before it has printed the error
        sys.stderr.write(f"digitnet: {error}\n")
        return error.exit_code
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        from digitnet.installation import install_command  # only now: it loads much

        sys.stderr.write(f"digitnet: this needs {error.name}. Run: {install_command(extra)}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("digitnet: interrupted.\n")
        return 130
    except BrokenPipeError:  # the reader of our output has closed it, as `head` does
        _discard_output()
    return 0


class _Answers(io.FileIO):
    """Standard output; what can't be written raises OutputError."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                f"Standard output: can't be written ({(error.strerror or str(error)).lower()}), so the answer is "
                "lost. Send it to a place that can hold it."
            ) from error


class _Messages(io.FileIO):
    """Standard error; what can't be written is dropped, and stops nothing."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except OSError:
            return len(content)


def open_outputs() -> None:
    """Make the standard streams of this process ones whose failures end a command in a sentence, or don't end it.

    Ends the process with exit code 1 where standard output is closed.
    """
    if sys.stderr is None:  # closed
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        sys.stderr.write("digitnet: Standard output is closed, so an answer has nowhere to go. Open it.\n")
        raise SystemExit(1)
    sys.stdout = _reopen(sys.stdout, _Answers)
    sys.stderr = _reopen(sys.stderr, _Messages)


def _reopen(stream: TextIO, kind: type[io.FileIO]) -> TextIO:
    """Write to the same file through another class."""
    return io.TextIOWrapper(
        io.BufferedWriter(kind(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.isatty() or kind is _Messages,
        write_through=getattr(stream, "write_through", False),  # PYTHONUNBUFFERED
    )


def _discard_output() -> None:
    """Send what is left of the output nowhere: Python would try to write it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_follower() -> bool:
    """Return whether torchrun started this process with a rank other than 0: only rank 0 prints."""
    return "TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("RANK", "0") != "0"
