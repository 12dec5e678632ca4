"""The command line: one thin function for each command, each with its imports inside.

Answers go to standard output, progress and remarks to standard error. Exit code 0 is success, 1 a failure said
in one sentence, 2 a wrong command line, 130 or 143 an interruption that saved its state.

To add a command: write its function (the signature becomes the flags, the docstring the help), and name it in
COMMANDS.
"""

import functools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, Suppress, arg

from digitnet.config import DEFAULT_PRESET, PRESETS, TrainConfig, preset
from digitnet.errors import RunError, UsageError, nearest
from digitnet.exits import exit_code, is_follower

if TYPE_CHECKING:
    from digitnet.evaluation.evaluate import Evaluation

RunFolder = Annotated[Positional[Path], arg(metavar="RUN")]
DataName = Annotated[Positional[str], arg(metavar="DATA")]
Format = Literal["text", "json"]


def train(
    config: OmitArgPrefixes[TrainConfig],
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: a new one under runs)")] = None,
    resume: bool = False,
    quiet: bool = False,
    named: Suppress[bool] = False,
) -> None:
    """Train a network, judge it on the test images, and write a report.

    A preset's name may come first; it gives every flag its default, as fast does where none is named. Ctrl-C saves
    the state, and --resume goes on from there.

    Args:
        config: What to train, and how.
        out: The run's folder.
        resume: Go on with the interrupted run in --out, or with the newest one under runs.
        quiet: Show no progress, only the answer.
        named: Whether a preset was named, so that it is asked for whole.
    """
    from digitnet.data.load import load_dataset
    from digitnet.evaluation.evaluate import evaluate
    from digitnet.reporting.report import make_report
    from digitnet.run_folder import RUNS, Run, find_unfinished
    from digitnet.training.train import train
    from digitnet.training.watch import make_watch

    if resume and not named:  # a flag asks for its own field, and not for the others of the default preset
        interrupted = Run(out) if out else find_unfinished(RUNS)
        asked = {field: getattr(config, field) for field in config.differences(preset(DEFAULT_PRESET))}
        config, out = replace(interrupted.config, **asked), interrupted.path
    watch = make_watch(quiet=quiet)
    run = train(config, out=out, resume=resume, watch=watch)
    watch.remark("Judging the test images, and writing the report.")
    dataset = load_dataset(run.config.data, validation_images=run.config.validation_images)
    _print_verdict(evaluate(run, dataset))
    print(f"Report: {make_report(run, dataset)}")


def evaluate(run: RunFolder, format: Format = "text") -> None:
    """Measure a finished run on all of its test images.

    Args:
        run: A folder that `digitnet train` made.
        format: For people, or for programs.
    """
    from digitnet.evaluation.evaluate import evaluate

    evaluation = evaluate(run)
    if format == "json":
        print(json.dumps(evaluation.to_json(), indent=2))
        return
    _print_verdict(evaluation)
    measured = evaluation.to_json()
    print(f"Negative log-likelihood {measured['negative_log_likelihood']:.4f} nats.")
    print(f"Calibration error {measured['calibration_error']:.2%}.")
    rows = [
        [row["label"], f"{row['images']:,}", _share(row["precision"]), _share(row["recall"])]
        for row in measured["classes"]
    ]
    _print_table(["class", "images", "precision", "recall"], rows)


def report(run: RunFolder) -> None:
    """Write a finished run's figures and its report.html, and print where the report is.

    Args:
        run: A folder that `digitnet train` made.
    """
    from digitnet.reporting.report import make_report

    print(make_report(run))


def export(
    run: RunFolder,
    out: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: RUN/model.onnx)")] = None,
) -> None:
    """Write a finished run as one model file that any ONNX runtime reads, and print where.

    Its preprocessing, calibration and thresholds are inside: `digitnet read --model FILE` reads with it.

    Args:
        run: A folder that `digitnet train` made.
        out: The file to write.
    """
    from digitnet.data.load import load_dataset
    from digitnet.evaluation.calibrate import calibrate
    from digitnet.run_folder import Run
    from digitnet.training.export import export

    trained = Run(run)
    _remark("Calibrating on the validation images, and writing the model: about ten seconds.")
    dataset = load_dataset(trained.config.data, validation_images=trained.config.validation_images)
    print(export(trained, calibrate(trained, dataset), out or trained.path / "model.onnx"))


def trials(
    plan: Annotated[Positional[Path], arg(metavar="PLAN")],
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: trials/PLAN)")] = None,
    engine: Literal["processes", "ray", "dask"] = "processes",
    jobs: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: cores)")] = None,
    address: Annotated[str | None, arg(metavar="ADDRESS", help_behavior_hint="(default: this machine)")] = None,
    retry_failed: bool = False,
    yes: bool = False,
    quiet: bool = False,
) -> None:
    """Run a plan: many seeded runs, each once, whatever interrupts them.

    Stop it any way you like and start it again: finished trials are not repeated, interrupted ones go on.

    Args:
        plan: A plan file; plans/blog-claims.toml is one.
        out: The folder of the trials.
        engine: What runs them: processes of this machine, Ray, or Dask.
        jobs: Trials that run at once.
        address: A Ray or Dask cluster that runs already.
        retry_failed: Run again what failed before.
        yes: Begin even if there are more than 10,000 trials.
        quiet: Show no progress.
    """
    from digitnet.engines.make import make_engine
    from digitnet.reporting.words import counted, duration
    from digitnet.trials.cost import estimate_seconds
    from digitnet.trials.plan import Plan
    from digitnet.trials.run import run_trials
    from digitnet.trials.watch import make_trials_watch

    wanted = Plan.from_file(plan)
    if wanted.trial_count > 10_000 and not yes:
        raise UsageError(f"{plan}: holds {wanted.trial_count:,} trials. If that many are meant, add --yes.")
    path = out or Path("trials") / plan.stem
    with make_engine(engine, workers=jobs, address=address) as runner:
        if not quiet:
            seconds = estimate_seconds(wanted)
            total = duration(seconds * wanted.trial_count / runner.workers)
            count = f"{counted(wanted.trial_count, 'trial')} of about {duration(seconds)}"
            _remark(f"{count}, {runner.workers} at once: about {total}.")
        folder = run_trials(wanted, path, runner, watch=make_trials_watch(quiet=quiet), retry_failed=retry_failed)
    journal = folder.journal
    print(f"{len(journal.done):,} of {wanted.trial_count:,} trials are done. Next: digitnet compare {folder.path}")
    if journal.failed:
        first = next(iter(journal.failed.values()))
        raise RunError(f"{counted(len(journal.failed), 'trial')} failed; the first, {first.trial}: {first.fault}")


def search(
    search: Annotated[Positional[Path], arg(metavar="SEARCH")],
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: trials/SEARCH)")] = None,
    engine: Literal["processes", "ray", "dask"] = "processes",
    jobs: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: cores)")] = None,
    address: Annotated[str | None, arg(metavar="ADDRESS", help_behavior_hint="(default: this machine)")] = None,
    quiet: bool = False,
) -> None:
    """Search ranges for a better configuration, judged on validation alone.

    Optuna chooses what is tried next. Stop it any way you like and start it again: it goes on.

    Args:
        search: A search file; plans/search-blog.toml is one.
        out: The folder of the search.
        engine: What runs the trials: processes of this machine, Ray, or Dask.
        jobs: Trials that run at once; one gives the same search every time.
        address: A Ray or Dask cluster that runs already.
        quiet: Show no progress.
    """
    from digitnet.engines.make import make_engine
    from digitnet.reporting.words import counted, duration
    from digitnet.trials.cost import estimate_seconds
    from digitnet.trials.search.plan import Search
    from digitnet.trials.search.run import run_search
    from digitnet.trials.search.summary import describe
    from digitnet.trials.search.watch import make_search_watch

    wanted = Search.from_file(search)
    with make_engine(engine, workers=jobs, address=address) as runner:
        if not quiet:
            seconds = estimate_seconds(wanted.start_plan)
            total = duration(seconds * wanted.trials / runner.workers)
            count = f"{counted(wanted.trials, 'trial')}; the start takes about {duration(seconds)}"
            _remark(f"{count}. If all take as long, {runner.workers} at once: about {total}.")
        path = out or Path("trials") / search.stem
        print(describe(run_search(wanted, path, runner, watch=make_search_watch(quiet=quiet))))


def compare(trials: Annotated[Positional[Path], arg(metavar="TRIALS")], format: Format = "text") -> None:
    """Compare the variants of finished trials, with intervals and in plain sentences.

    Writes comparison.json, comparison.md and figures into the folder.

    Args:
        trials: A folder that `digitnet trials` made.
        format: For people, or for programs.
    """
    from digitnet.trials.report import report_trials
    from digitnet.trials.run import open_folder

    comparison = report_trials(open_folder(trials))
    print((trials / "comparison.json").read_text() if format == "json" else comparison.to_text())


def read(
    images: Annotated[Positional[tuple[str, ...]], arg(metavar="IMAGE...", help_behavior_hint="(one or more)")],
    model: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: digitnet's own)")] = None,
    format: Annotated[
        Literal["text", "json", "csv"] | None,
        arg(metavar="{text,json,csv}", help_behavior_hint="(default: text, or csv with --out)"),
    ] = None,
    single: bool = False,
    fields: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: any number)")] = None,
    expect: Annotated[str | None, arg(metavar="REGEX", help_behavior_hint="(default: any digits)")] = None,
    save_picture: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: none)")] = None,
    out: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: print the answers)")] = None,
    engine: Literal["processes", "ray", "dask"] = "processes",
    jobs: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: cores)")] = None,
    address: Annotated[str | None, arg(metavar="ADDRESS", help_behavior_hint="(default: this machine)")] = None,
    quiet: bool = False,
) -> None:
    """Read the digits in pictures: photographs, scans, drawings.

    Prints the digits, line by line, and ? for one that is not sure. Many pictures are read on all cores. With
    --out you may stop it any way you like and start it again: it goes on.

    Args:
        images: Pictures, folders of pictures, or - for standard input.
        model: A model file that `digitnet export` wrote.
        format: Digits for people, everything for programs, or a table.
        single: Each picture is one digit, whatever it looks like.
        fields: Each picture is one field of so many digits; touching ones are cut apart accordingly.
        expect: What the digits of each line look like, '[01][0-9]{3}' for example; others are ruled out.
        save_picture: Draw what was read, and where, into this folder.
        out: Write a CSV file of the answers; an interrupted one is gone on with.
        engine: What reads many pictures: processes of this machine, Ray, or Dask.
        jobs: Pictures that are read at once.
        address: A Ray or Dask cluster that runs already.
        quiet: Show no progress.
    """
    from digitnet.reading.command import Crew, read_all
    from digitnet.reading.many import Settings

    settings = Settings(model, single, fields, expect, save_picture)
    read_all(images, settings, Crew(engine, jobs, address), format=format, out=out, quiet=quiet)


def data_fetch(data: DataName = "mnist") -> None:
    """Bring a known data set into the cache, and print its folder.

    Args:
        data: mnist or fashion-mnist.
    """
    from digitnet.data.cache import fetch

    print(fetch(data, _remark))


def data_show(
    data: DataName = "mnist",
    picture: Annotated[Path | None, arg(metavar="FILE")] = None,
    validation_images: int = 5_000,
    format: Format = "text",
) -> None:
    """Count and check a data set, and warn of what looks wrong.

    Args:
        data: A known name, or the path of IDX files, a CSV, an .npz or folders of pictures.
        picture: Also draw sample images with their labels, as a PNG file.
        validation_images: The first so many training images are kept for validation.
        format: For people, or for programs.
    """
    from digitnet.data.inspection import describe
    from digitnet.data.load import load_dataset

    dataset = load_dataset(data, validation_images=validation_images, remark=_remark)
    description = describe(dataset)
    if picture:
        from digitnet.reporting.figures import sample_figure, save_figure

        save_figure(sample_figure(dataset.train, dataset.label_names), picture)
        _remark(f"Drew sample images: {picture}")
    if format == "json":
        print(json.dumps(description.to_json(), indent=2))
        return
    rows, columns = description.image_shape
    darkest, brightest = description.pixel_range
    print(f"{description.name}: images of {rows} x {columns} pixels, values from {darkest} to {brightest}.")
    parts = [[f"{count:,}" for count in counts] for counts in description.counts.values()]
    totals = [f"{sum(counts):,}" for counts in description.counts.values()]
    _print_table(
        ["class", *description.counts], [*zip(description.label_names, *parts, strict=True), ["all", *totals]]
    )
    for warning in description.warnings:
        print(f"Warning: {warning}")
    if not description.warnings:
        print("Nothing looks wrong.")


def data_convert(
    data: DataName,
    destination: Annotated[Positional[Path], arg(metavar="DESTINATION")],
    to: Literal["idx", "csv", "npz", "folder"] = "idx",
) -> None:
    """Write a data set in another format, and print where.

    Args:
        data: A known name, or the path of IDX files, a CSV, an .npz or folders of pictures.
        destination: A new path: a folder, or for npz a file.
        to: Files in MNIST's own format, tables of label and pixels, one archive of arrays, or pictures.
    """
    from digitnet.data.convert import convert

    print(convert(data, destination, to, _remark))


def _remark(text: str) -> None:
    print(text, file=sys.stderr)


COMMANDS: dict[str, Callable[..., None]] = {
    "train": train,
    "evaluate": evaluate,
    "report": report,
    "export": export,
    "trials": trials,
    "search": search,
    "compare": compare,
    "read": read,
    "data fetch": data_fetch,
    "data show": data_show,
    "data convert": data_convert,
}
"""Every command, by the words that call it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code; errors that a person can put right become one sentence."""
    return exit_code(functools.partial(_dispatch, list(sys.argv[1:] if arguments is None else arguments)))


def _dispatch(words: list[str]) -> None:
    if not words or words[0] in ("-h", "--help"):
        print(_overview())
    elif words[0] == "--version":
        from importlib.metadata import version

        print(f"digitnet {version('digitnet')}")
    else:
        name = _command_name(words)
        rest = words[len(name.split()) :]
        if name == "train":
            named = bool(rest) and not rest[0].startswith("-")
            start = preset(rest.pop(0) if named else DEFAULT_PRESET)
            _call(
                functools.partial(train, config=start, named=named), rest, f"digitnet train [{'|'.join(PRESETS)}]"
            )
        else:
            _call(COMMANDS[name], rest, f"digitnet {name}")


def _call(command: Callable[..., None], arguments: Sequence[str], program: str) -> None:
    """Let tyro read the flags from the command's signature; it exits with 2 when they don't fit."""
    speaks = not is_follower()
    try:
        tyro.cli(command, args=arguments, prog=program, config=(FlagCreatePairsOff,), console_outputs=speaks)
    except SystemExit as leaving:
        if leaving.code == 2 and not speaks:
            return  # as above: rank 0 leaves with the same code, once it has spoken
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
            "Train a small network on MNIST, judge it honestly, and see where it fails.",
            "",
            *lines,
            "",
            "digitnet COMMAND --help explains a command. Begin with: digitnet train",
        ]
    )


def _first_line(command: Callable[..., None]) -> str:
    return (command.__doc__ or "").partition("\n")[0]


def _print_verdict(evaluation: "Evaluation") -> None:
    wrong = evaluation.images - evaluation.right
    print(
        f"Test accuracy {evaluation.accuracy:.4f} (95% interval {evaluation.interval}): "
        f"{wrong:,} of {evaluation.images:,} images read wrongly."
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, justify="left" if head == heads[0] else "right")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)
