"""``digitnet search``."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import Engine, Switch
from digitnet.cli.output import print_estimate, print_next
from digitnet.engines.options import EngineOptions


def search(
    search: Annotated[Positional[Path], arg(metavar="SEARCH")],
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: trials/SEARCH)")] = None,
    parallel: Engine = EngineOptions(),  # noqa: B008 - frozen
    quiet: Switch = False,
) -> None:
    """Search ranges of values for a better configuration, by validation accuracy alone.

    Optuna chooses what to try next. A search that was stopped, in any way, continues when it is started again.

    For example:
        digitnet search plans/search-blog.toml

    Args:
        search: A plan file with ranges.
        out: The folder of the search.
        parallel: What does the work.
        quiet: Show no progress.
    """
    from digitnet.engines.make import make_engine
    from digitnet.progress import make_progress
    from digitnet.trials.plan import Plan
    from digitnet.trials.run import search as run_search
    from digitnet.trials.status import describe_search

    plan = Plan.from_file(search)
    with make_engine(parallel.engine, workers=parallel.jobs, address=parallel.address) as engine:
        if plan.ranges and not quiet:
            print_estimate(plan, engine.workers)
        path = out or Path("trials") / search.stem
        folder = run_search(plan, path, engine=engine, progress=make_progress(quiet=quiet))
    print(describe_search(folder))
    if folder.best and not plan.is_start(folder.best.fields) and not quiet:
        purpose = "compare the best with the start, over fresh seeds and on the test images"
        print_next(purpose, "trials", folder.path / "best.toml", "--out", f"{folder.path}-best")
