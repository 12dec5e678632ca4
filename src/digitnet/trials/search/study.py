"""Optuna's side of a search: where it keeps what is known, what it would try next, and what mattered."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from filelock import FileLock
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.pruners import MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from digitnet.trials.journal import append_lines
from digitnet.trials.search.plan import Params, Search

_NAME = "digitnet"
_DIRECTION = StudyDirection.MAXIMIZE  # of validation accuracy
_ATTEMPTS = 20
_ENOUGH = 10  # trials that ran to their end, from which on importances are more than noise


class StudyFile(JournalFileBackend):
    """Optuna's journal as a file that many processes write, and that none of them can spoil by being killed.

    Optuna's own locks are files, which a killed process leaves behind: for 30 seconds nobody else could write.
    The system takes back a FileLock itself, wherever it takes back the lock of a run folder.
    """

    def __init__(self, file: Path) -> None:
        super().__init__(str(file))
        self.file = file

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add records; raise StorageError where the disk refuses."""
        lines = "".join(json.dumps(log) + "\n" for log in logs)
        with FileLock(self.file.with_name(f".{self.file.name}.lock")):
            append_lines(self.file, lines.encode())


def open_study(file: Path, *, prune: bool) -> Study:
    """Open the study that `file` keeps, or begin it there."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it would announce each trial; the progress shows them
    storage = JournalStorage(StudyFile(file))
    pruner = MedianPruner() if prune else NopPruner()
    if _NAME in optuna.get_all_study_names(storage):
        return optuna.load_study(study_name=_NAME, storage=storage, pruner=pruner)
    return optuna.create_study(study_name=_NAME, storage=storage, pruner=pruner, direction=_DIRECTION)


def trial_at(study: Study, number: int) -> Trial:
    """Take up again a trial that has not ended."""
    return Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)


def fail(trial: Trial, fault: str) -> None:
    """Record that a trial failed, and why."""
    trial.set_user_attr("fault", fault)
    trial.study.tell(trial, state=TrialState.FAIL)


def choose(study: Study, search: Search) -> FrozenTrial:
    """Choose what to try next, the start itself at first, and record it.

    The choice depends on the trials so far, the seed and the trial's number, and on no state of the sampler's; it
    is recorded in one line. So a search that is killed, whenever that may be, goes on as if it had not been.
    """
    trials = study.get_trials()
    begin_with_start = not trials and _holds(search.start_params, search)
    params = search.start_params if begin_with_start else _suggest(trials, search)
    study.add_trial(_running(params, search))
    return study.get_trials()[-1]


def _running(params: Params, search: Search) -> FrozenTrial:
    return create_trial(state=TrialState.RUNNING, params=params, distributions=search.distributions)


def _holds(params: Params, search: Search) -> bool:
    """Let Optuna say whether each value lies in its range."""
    try:
        _running(params, search)
    except ValueError:
        return False
    return True


def _suggest(trials: Sequence[FrozenTrial], search: Search) -> Params:
    """Ask Optuna in a copy of the study, as in the study itself it would write each value on its own.

    Optuna may propose what was tried already. That would end as it did, so it is asked again, some times.
    """
    params: Params = {}
    for attempt in range(_ATTEMPTS):
        seed = np.random.SeedSequence((search.start.seed, len(trials), attempt)).generate_state(1)[0]
        copy = optuna.create_study(direction=_DIRECTION, sampler=TPESampler(seed=int(seed)))
        copy.add_trials(trials)
        params = copy.ask(search.distributions).params
        if all(params != trial.params for trial in trials):
            break
    return params


def importances(study: Study) -> dict[str, float]:
    """Share of each field in what made trials good, largest first (PED-ANOVA, arXiv 2304.10255); or nothing.

    It looks at trials that ran to their end, and says nothing of fewer than ten.
    """
    if len(study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])) < _ENOUGH:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # that is what Optuna 4 calls it, and 5 its default
        return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
