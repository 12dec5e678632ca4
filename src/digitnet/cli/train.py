"""``digitnet train``."""

from pathlib import Path
from typing import Annotated

from tyro.conf import DisallowNone, Fixed, OmitArgPrefixes, Suppress, arg

from digitnet.cli.options import Switch, Tracker
from digitnet.cli.output import print_accuracy, print_next, print_next_after_run
from digitnet.config import TrainConfig


def train(
    config: Annotated[OmitArgPrefixes[TrainConfig], arg(name="")],
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: a new one under runs)")] = None,
    resume: Switch = False,
    track: Annotated[DisallowNone[Tracker | None], arg(help_behavior_hint="")] = None,
    test: Switch = True,
    quiet: Switch = False,
    named: Suppress[Fixed[bool]] = False,
) -> None:
    """Train a network, evaluate it on the test images, and write a report.

    The name of a preset, or a TOML file, may come first: it sets the defaults of the flags. Without one, the
    preset is fast. Ctrl-C saves the state, and --resume continues from it.

    For example:
        digitnet train
        digitnet train blog --steps 1000 --filters 16 32 64
        digitnet train --resume

    Args:
        config: Every field of the configuration.
        out: The run's folder.
        resume: Continue the interrupted run in --out, or the newest one under runs.
        track: Also show the measurements in TensorBoard or MLflow.
        test: Do not evaluate the test images: print the validation accuracy, and write no report.
        quiet: Show no progress, only the answer.
        named: Whether a preset was named, so that --resume asks for all of its fields.
    """
    from digitnet.evaluation.evaluate import evaluate
    from digitnet.progress import make_progress
    from digitnet.reporting.report import make_report
    from digitnet.run_folder import RUNS, Run, find_unfinished
    from digitnet.training.memory import keep_freed_memory
    from digitnet.training.train import train

    if resume and not named:  # flags alone ask for their own fields, not for the rest of the preset fast
        interrupted = Run(out) if out else find_unfinished(RUNS)
        asked = {field: config.value(field) for field in config.differences(TrainConfig())}
        config, out = interrupted.config.replace(**asked), interrupted.path
    keep_freed_memory()
    progress = make_progress(quiet=quiet)
    run = train(config, out=out, resume=resume, progress=progress, track=track)
    if not test:
        print(f"Validation accuracy {run.summary['validation']['accuracy']:.4f}. Run: {run.path}")
        if not quiet:
            print_next("evaluate the test images, once, when nothing is left to choose", "evaluate", run.path)
        return
    progress.message("Evaluating the test images, and writing the report.")
    print_accuracy(evaluate(run))
    print(f"Report: {make_report(run)}")
    if not quiet:
        print_next_after_run(run)
