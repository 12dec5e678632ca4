"""digitnet: train a small network on MNIST, evaluate it honestly, and see where it fails.

    from digitnet import evaluate, make_report, train

    run = train("fast", seed=1)
    print(evaluate(run).accuracy, make_report(run))

    from digitnet import Reader

    print(Reader().read("photo.jpg").text)

What can be imported from here is public, and everything that a command does is a call from here. The modules
inside are internal: their names may change with any version. A name is loaded when it is first used, so that
`import digitnet` costs nothing and needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitnet.comparing.report import compare
    from digitnet.config import TrainConfig
    from digitnet.data.cache import fetch
    from digitnet.data.dataset import Dataset, Split
    from digitnet.data.inspection import describe
    from digitnet.data.load import convert, load_dataset
    from digitnet.errors import DigitnetError
    from digitnet.estimator import DigitClassifier
    from digitnet.evaluation.evaluate import Evaluation, evaluate
    from digitnet.evaluation.explanation import Explanation
    from digitnet.evaluation.mistakes import Mistake, find_mistakes
    from digitnet.evaluation.predict import predict
    from digitnet.explaining.explain import explain
    from digitnet.exporting.export import export
    from digitnet.presets import PRESETS, preset
    from digitnet.reading.reader import Reader
    from digitnet.reading.result import Reading
    from digitnet.reporting.report import make_report
    from digitnet.run_folder import Run
    from digitnet.tracking.track import track
    from digitnet.training.batches import Batches
    from digitnet.training.checkpoint import load_network
    from digitnet.training.memory import keep_freed_memory
    from digitnet.training.train import train
    from digitnet.trials.run import run_trials, search

_HOMES = {
    "PRESETS": "presets",
    "Batches": "training.batches",
    "Dataset": "data.dataset",
    "DigitClassifier": "estimator",
    "DigitnetError": "errors",
    "Evaluation": "evaluation.evaluate",
    "Explanation": "evaluation.explanation",
    "Mistake": "evaluation.mistakes",
    "Reader": "reading.reader",
    "Reading": "reading.result",
    "Run": "run_folder",
    "Split": "data.dataset",
    "TrainConfig": "config",
    "compare": "comparing.report",
    "convert": "data.load",
    "describe": "data.inspection",
    "evaluate": "evaluation.evaluate",
    "explain": "explaining.explain",
    "export": "exporting.export",
    "fetch": "data.cache",
    "find_mistakes": "evaluation.mistakes",
    "keep_freed_memory": "training.memory",
    "load_dataset": "data.load",
    "load_network": "training.checkpoint",
    "make_report": "reporting.report",
    "predict": "evaluation.predict",
    "preset": "presets",
    "run_trials": "trials.run",
    "search": "trials.run",
    "track": "tracking.track",
    "train": "training.train",
}

__all__ = [
    "PRESETS",
    "Batches",
    "Dataset",
    "DigitClassifier",
    "DigitnetError",
    "Evaluation",
    "Explanation",
    "Mistake",
    "Reader",
    "Reading",
    "Run",
    "Split",
    "TrainConfig",
    "compare",
    "convert",
    "describe",
    "evaluate",
    "explain",
    "export",
    "fetch",
    "find_mistakes",
    "keep_freed_memory",
    "load_dataset",
    "load_network",
    "make_report",
    "predict",
    "preset",
    "run_trials",
    "search",
    "track",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
