"""``digitnet train``."""

from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Suppress, arg

from digitnet.cli.output import print_accuracy
from digitnet.config import TrainConfig


def train(
    config: OmitArgPrefixes[TrainConfig],
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: a new one under runs)")] = None,
    resume: bool = False,
    test: bool = True,
    quiet: bool = False,
    named: Suppress[bool] = False,
) -> None:
    """Train a network, evaluate it on the test images, and write a report.

    A preset's name, or a TOML file of fields, may come first; it gives every flag its default, as fast does where
    none is named. Ctrl-C saves the state, and --resume continues from there.

    Args:
        config: What to train, and how.
        out: The run's folder.
        resume: Continue the interrupted run in --out, or the newest one under runs.
        test: Leave the test images closed: print the validation accuracy, and write no report.
        quiet: Show no progress, only the answer.
        named: Whether a preset was named, so that it is asked for whole.
    """
    from digitnet.evaluation.evaluate import evaluate
    from digitnet.progress import make_progress
    from digitnet.reporting.report import make_report
    from digitnet.run_folder import RUNS, Run, find_unfinished
    from digitnet.training.memory import keep_freed_memory
    from digitnet.training.train import train

    if resume and not named:  # a flag asks for its own field, and not for the others of the default preset
        interrupted = Run(out) if out else find_unfinished(RUNS)
        asked = {field: config.value(field) for field in config.differences(TrainConfig())}
        config, out = interrupted.config.replace(**asked), interrupted.path
    keep_freed_memory()
    progress = make_progress(quiet=quiet)
    run = train(config, out=out, resume=resume, progress=progress)
    if not test:
        print(f"Validation accuracy {run.summary['validation']['accuracy']:.4f}. Run: {run.path}")
        return
    progress.message("Evaluating the test images, and writing the report.")
    print_accuracy(evaluate(run))
    print(f"Report: {make_report(run)}")
