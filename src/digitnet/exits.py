"""How a command ends: with an exit code, and one sentence if a person can correct something."""

import os
import sys
from collections.abc import Callable

from digitnet.errors import DigitnetError

_EXTRAS = {
    **dict.fromkeys(("jinja2", "matplotlib", "onnx", "onnxscript", "safetensors", "scipy", "torch"), "train"),
    "mlflow": "mlflow",
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
        command()
    except DigitnetError as error:
        if is_follower():
            return 0  # a failure would make torchrun kill rank 0 before it has printed the error
        sys.stderr.write(f"digitnet: {error}\n")
        return error.exit_code
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        sys.stderr.write(f"digitnet: this needs {error.name}. Run: pip install 'digitnet[{extra}]'\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("digitnet: interrupted.\n")
        return 130
    except BrokenPipeError:  # the reader of our output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def is_follower() -> bool:
    """Return whether torchrun started this process with a rank other than 0: only rank 0 prints."""
    return "TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("RANK", "0") != "0"
