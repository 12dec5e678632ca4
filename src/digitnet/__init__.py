"""digitnet: train a small network on MNIST, judge it honestly, and see where it fails.

    from digitnet import TrainConfig, evaluate, load_dataset, make_report, train

    run = train(TrainConfig(steps=1_000))
    print(evaluate(run).accuracy, make_report(run))

    from digitnet import Reader

    print(Reader().read("photo.jpg").text)

A name is loaded when it is first used, so that `import digitnet` costs nothing and asks for no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitnet.config import TrainConfig
    from digitnet.data.dataset import Dataset, Split
    from digitnet.data.load import load_dataset
    from digitnet.errors import DigitnetError
    from digitnet.evaluation.evaluate import Evaluation, evaluate
    from digitnet.evaluation.mistakes import Mistake, find_mistakes
    from digitnet.presets import PRESETS
    from digitnet.reading.reader import Reader
    from digitnet.reading.result import Reading
    from digitnet.reporting.report import make_report
    from digitnet.run_folder import Run
    from digitnet.training.train import train

_HOMES = {
    "PRESETS": "presets",
    "Dataset": "data.dataset",
    "DigitnetError": "errors",
    "Evaluation": "evaluation.evaluate",
    "Mistake": "evaluation.mistakes",
    "Reader": "reading.reader",
    "Reading": "reading.result",
    "Run": "run_folder",
    "Split": "data.dataset",
    "TrainConfig": "config",
    "evaluate": "evaluation.evaluate",
    "find_mistakes": "evaluation.mistakes",
    "load_dataset": "data.load",
    "make_report": "reporting.report",
    "train": "training.train",
}

__all__ = [
    "PRESETS",
    "Dataset",
    "DigitnetError",
    "Evaluation",
    "Mistake",
    "Reader",
    "Reading",
    "Run",
    "Split",
    "TrainConfig",
    "evaluate",
    "find_mistakes",
    "load_dataset",
    "make_report",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
