"""Run a search: Optuna chooses what each trial tries, an engine runs it, validation accuracy alone decides.

A search's folder holds all of it:

    search.toml          the search
    optuna.jsonl         Optuna's journal: what each trial tried, what was measured, how it ended
    runs/trial-NNN/      the run of each trial, trained and validated, not judged on the test images
    best.toml            a plan that compares the best so far with the start over fresh seeds: `digitnet trials`

Optuna's journal is the only record, so that no two can disagree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import tomli_w
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from digitnet.augmentation.augment import make_augmentation
from digitnet.data.load import load_dataset
from digitnet.engines.engine import Engine
from digitnet.errors import DigitnetError, RunError
from digitnet.files import make_folder, write_whole
from digitnet.networks.models import build_network
from digitnet.progress import Progress
from digitnet.run_folder import hold
from digitnet.training.schedule import make_schedule
from digitnet.trials.run import ANOTHER, claim
from digitnet.trials.search.plan import Search
from digitnet.trials.search.status import SearchStatus, trial_name
from digitnet.trials.search.study import choose, fail, open_study, trial_at
from digitnet.trials.search.trial import SearchTask, try_trial

_FRESH_SEEDS = 10


@dataclass(frozen=True)
class SearchFolder:
    """A folder of a search: what was asked, and what is known so far."""

    path: Path
    search: Search

    @cached_property
    def study(self) -> Study:
        """Optuna's study of it."""
        return open_study(self.study_file, prune=self.search.prune)

    @property
    def study_file(self) -> Path:
        """Optuna's journal."""
        return self.path / "optuna.jsonl"

    def run_path(self, number: int) -> Path:
        """Folder of a trial's run."""
        return self.path / "runs" / trial_name(number)

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """The trials in these states, or all, in the order in which they were chosen."""
        return self.study.get_trials(states=states or None)

    @property
    def best(self) -> FrozenTrial | None:
        """The trial with the best validation accuracy after its last step, the earlier one of equals."""
        done = self.trials(TrialState.COMPLETE)
        return max(done, key=lambda trial: trial.value or 0.0) if done else None

    def task(self, trial: FrozenTrial) -> SearchTask:
        """Make a trial's task for a worker."""
        return SearchTask(
            trial=trial_name(trial.number),
            config=self.search.configure(trial.params),
            folder=str(self.run_path(trial.number).resolve()),
            number=trial.number,
            study=str(self.study_file.resolve()),
            prune=self.search.prune,
        )


def run_search(
    search: Search, path: Path | str, engine: Engine, *, progress: Progress | None = None
) -> SearchFolder:
    """Run the trials of `search` that have not ended yet, and return the folder.

    A trial that fails is recorded with its reason and stops no other. With one worker, a search that was stopped
    and started again ends as one that never stopped; with several, the order in which trials end has a say in what
    is tried next. Raises UsageError for a value that nothing is called by, RunError when the folder is another
    search's or another process runs it, and DigitnetError for a fault that every trial would have.
    """
    _check_names(search)
    progress = progress or Progress()
    folder = SearchFolder(make_folder(Path(path)), search)
    with hold(folder.path), progress:
        _claim(folder)
        status = SearchStatus(search, folder.trials(), progress)
        for outcome in engine.run(try_trial, _tasks(folder, status)):
            number = outcome.task.number
            if outcome.result:
                raise DigitnetError(f"{outcome.task.trial}: {outcome.result}")
            if outcome.error and not folder.trials()[number].state.is_finished():
                fail(trial_at(folder.study, number), outcome.error)
            status.ended(folder.trials()[number])
            _write_best(folder)
        _write_best(folder)
    return folder


def _tasks(folder: SearchFolder, status: SearchStatus) -> Iterator[SearchTask]:
    """Yield the trials that were interrupted, then new ones, each chosen when a worker is free for it."""
    for trial in folder.trials(TrialState.RUNNING):
        status.started(trial)
        yield folder.task(trial)
    while len(folder.trials()) < folder.search.trials:
        trial = choose(folder.study, folder.search)
        status.started(trial)
        yield folder.task(trial)


def _check_names(search: Search) -> None:
    """Build what every value of the search names: an unknown schedule would else be found in the middle."""
    start = search.start
    data = load_dataset(start.images.data, validation_images=start.images.validation_images)
    for config in search.examples():
        make_augmentation(config)
        make_schedule(config.optimisation)
        build_network(config, data.image_shape, data.classes)


def _claim(folder: SearchFolder) -> None:
    """Write the search into a new folder; raise RunError when the folder has another one."""
    file = folder.path / "search.toml"
    text = claim(file, folder.search.text)
    if Search.from_toml(text, str(file)) != folder.search:
        raise RunError(
            f"{folder.path}: belongs to another search (its search.toml differs in more than title and trials). "
            f"{ANOTHER}"
        )
    if text != folder.search.text:
        write_whole(file, folder.search.text)


def _write_best(folder: SearchFolder) -> None:
    """Write the plan that judges the best so far, unless that is the start itself."""
    file, search, best = folder.path / "best.toml", folder.search, folder.best
    if best is None or best.params == search.start_params:
        file.unlink(missing_ok=True)
        return
    seeds = [seed for seed in range(_FRESH_SEEDS + 1) if seed != search.start.seed][:_FRESH_SEEDS]
    plan: dict[str, Any] = {
        "title": f"Is the best that the search found better than its start? {search.title}".strip(),
        "preset": search.preset,
        "seeds": seeds,
        "base": search.base,
        "variant": [{"name": "start"}, {"name": "best", **search.fields(best.params)}],
    }
    text = tomli_w.dumps(plan)
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        write_whole(file, text)
