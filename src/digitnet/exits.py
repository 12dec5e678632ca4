"""How a command ends: in an exit code, and one sentence where a person can put something right."""

import os
import sys
from collections.abc import Callable

from digitnet.errors import DigitnetError

_EXTRAS = {
    **dict.fromkeys(("jinja2", "matplotlib", "onnx", "onnxscript", "safetensors", "scipy", "torch"), "train"),
    "optuna": "search",
}


def exit_code(command: Callable[[], None]) -> int:
    """Run a command and return its exit code; errors that a person can put right become one sentence."""
    try:
        command()
    except DigitnetError as error:
        if is_follower():
            return 0  # a failure here would make torchrun end rank 0 before it has said so
        sys.stderr.write(f"digitnet: {error}\n")
        return error.exit_code
    except ModuleNotFoundError as fault:
        extra = _EXTRAS.get((fault.name or "").partition(".")[0])
        if extra is None:
            raise
        sys.stderr.write(f"digitnet: this needs {fault.name}. Run: pip install 'digitnet[{extra}]'\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("digitnet: interrupted.\n")
        return 130
    except BrokenPipeError:  # the reader of our output, `head` for example, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def is_follower() -> bool:
    """Tell whether torchrun started this process beside one that says the same: rank 0 speaks for all."""
    return "TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("RANK", "0") != "0"
