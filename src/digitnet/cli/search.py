"""``digitnet search``."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import EngineFlags
from digitnet.cli.output import print_message
from digitnet.engines.options import EngineOptions


def search(
    search: Annotated[Positional[Path], arg(metavar="SEARCH")],
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: trials/SEARCH)")] = None,
    parallel: EngineFlags = EngineOptions(),  # noqa: B008 - frozen
    quiet: bool = False,
) -> None:
    """Search ranges for a better configuration, judged on validation alone.

    Optuna chooses what is tried next. Stop it any way you like and start it again: it goes on.

    Args:
        search: A search file; plans/search-blog.toml is one.
        out: The folder of the search.
        parallel: What does the work.
        quiet: Show no progress.
    """
    from digitnet.engines.make import make_engine
    from digitnet.progress import make_progress
    from digitnet.reporting.words import counted, duration
    from digitnet.trials.cost import estimate_seconds
    from digitnet.trials.search.plan import Search
    from digitnet.trials.search.run import run_search
    from digitnet.trials.search.summary import describe

    wanted = Search.from_file(search)
    with make_engine(parallel.engine, workers=parallel.jobs, address=parallel.address) as runner:
        if not quiet:
            seconds = estimate_seconds(wanted.start_plan)
            total = duration(seconds * wanted.trials / runner.workers)
            count = f"{counted(wanted.trials, 'trial')}; the start takes about {duration(seconds)}"
            print_message(f"{count}. If all take as long, {runner.workers} at once: about {total}.")
        path = out or Path("trials") / search.stem
        print(describe(run_search(wanted, path, runner, progress=make_progress(quiet=quiet))))
