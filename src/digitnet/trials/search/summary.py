"""What a search found, in words for a person."""

from optuna.trial import FrozenTrial, TrialState

from digitnet.errors import RunError
from digitnet.trials.search.run import SearchFolder
from digitnet.trials.search.status import short, trial_name
from digitnet.trials.search.study import importances
from digitnet.trials.tables import Table


def describe(folder: SearchFolder) -> str:
    """Say how the trials ended, what is best and what mattered, and in the last line what to do next.

    Raises RunError where no trial ran to its end.
    """
    failed = folder.trials(TrialState.FAIL)
    first = f"The first failure, {trial_name(failed[0].number)}: {failed[0].user_attrs['fault']}" if failed else ""
    best = folder.best
    if best is None:
        raise RunError(f"{folder.path}: expected a trial that ran to its end, found none. {first or 'Search on.'}")
    parts = (_counts(folder), first, _best(folder, best), _mattered(folder), _next(folder, best))
    return "\n".join(filter(None, parts))


def _counts(folder: SearchFolder) -> str:
    states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
    counts = {word: len(folder.trials(state)) for word, state in states.items()}
    total = max(folder.search.trials, len(folder.trials()))
    listed = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return f"{sum(counts.values()):,} of {total:,} trials have ended: {listed}."


def _best(folder: SearchFolder, best: FrozenTrial) -> str:
    """Set the best beside the start."""
    search = folder.search
    start = folder.trials()[0]
    known = start.params == search.start_params and start.state is TrialState.COMPLETE
    rows = [(name, short(best.params[name]), short(value)) for name, value in search.start_params.items()]
    accuracy = ("validation accuracy", f"{best.value:.4f}", f"{start.value:.4f}" if known else "not tried")
    heads = ("", f"best, {trial_name(best.number)}", "start")
    return Table("The best on validation:", heads, (*rows, accuracy)).to_text()


def _mattered(folder: SearchFolder) -> str:
    shares = [f"{name} {share:.0%}" for name, share in importances(folder.study).items()]
    return f"What mattered (PED-ANOVA over the complete trials): {', '.join(shares)}." if shares else ""


def _next(folder: SearchFolder, best: FrozenTrial) -> str:
    if best.params == folder.search.start_params:
        return "Nothing was better on validation than the start. Next: widen the ranges, or raise the trials."
    return (
        "The best of many trials looks better on validation than it is. Next, judge it against the start, over "
        f"fresh seeds and on the test images: digitnet trials {folder.path / 'best.toml'} --out {folder.path}-best"
    )
