"""``digitnet trials``."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import Engine, Switch
from digitnet.cli.output import print_estimate, print_next
from digitnet.engines.options import EngineOptions
from digitnet.errors import RunError, UsageError


def trials(
    plan: Annotated[Positional[Path], arg(metavar="PLAN")],
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: trials/PLAN)")] = None,
    parallel: Engine = EngineOptions(),  # noqa: B008 - frozen
    retry_failed: Switch = False,
    yes: Switch = False,
    quiet: Switch = False,
) -> None:
    """Run a plan: many seeded runs, each of them once, whatever interrupts them.

    Plans that were stopped, in any way, continue when they are started again: no finished trial is repeated.

    For example:
        digitnet trials plans/blog-claims.toml
        digitnet compare trials/blog-claims

    Args:
        plan: A plan file.
        out: The folder of the trials.
        parallel: What does the work.
        retry_failed: Run failed trials again.
        yes: Start even if there are more than 10,000 trials.
        quiet: Show no progress.
    """
    from digitnet.engines.make import make_engine
    from digitnet.progress import make_progress
    from digitnet.reporting.words import counted
    from digitnet.trials.plan import Plan
    from digitnet.trials.run import run_trials

    wanted = Plan.from_file(plan)
    if wanted.trial_count > 10_000 and not yes:
        raise UsageError(f"{plan}: has {wanted.trial_count:,} trials. If you mean that many, add --yes.")
    path, progress = out or Path("trials") / plan.stem, make_progress(quiet=quiet)
    with make_engine(parallel.engine, workers=parallel.jobs, address=parallel.address) as engine:
        if not wanted.ranges and not quiet:
            print_estimate(wanted, engine.workers)
        folder = run_trials(wanted, path, engine=engine, progress=progress, retry_failed=retry_failed)
    journal = folder.journal
    print(f"{len(journal.done):,} of {wanted.trial_count:,} trials are done.")
    if journal.done and not quiet:
        print_next("compare the variants", "compare", folder.path)
    if journal.failed:
        first = next(iter(journal.failed.values()))
        raise RunError(f"{counted(len(journal.failed), 'trial')} failed; the first, {first.trial}: {first.error}")
