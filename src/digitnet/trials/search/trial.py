"""One trial of a search: trained and validated in whatever process an engine gives it, and never judged.

The worker itself tells Optuna what came of the trial, so that whoever chooses the next one knows it already: an
engine takes the next task before it hands over the last outcome.
"""

from dataclasses import dataclass
from pathlib import Path

from optuna.exceptions import TrialPruned
from optuna.trial import Trial, TrialState

from digitnet.engines.calls import describe
from digitnet.errors import DataError, DeviceError, Interrupted, RunError, StorageError, UsageError
from digitnet.run_folder import ValidationRow
from digitnet.trials.search.study import fail, open_study, trial_at
from digitnet.trials.trial import Task, train_task

# These faults lie in the machine, the data or the search file. Each further trial would have them too.
_SHARED_FAULTS = (DataError, DeviceError, RunError, StorageError, UsageError)


@dataclass(frozen=True)
class SearchTask(Task):
    """A trial of a search on its way to a worker."""

    number: int
    study: str  # Optuna's file; on a cluster, on a disk that all machines share
    prune: bool


class Pruning:
    """Reports validation accuracies to Optuna, and raises TrialPruned when it sees no hope."""

    def __init__(self, trial: Trial, reported: int, steps: int) -> None:
        self.trial = trial
        self.reported = reported  # the last step that was reported before an interruption, or 0
        self.steps = steps

    def __call__(self, row: ValidationRow) -> None:
        """Report a validation; those that a resumed run repeats were asked about before, all but the last."""
        if row.step < self.reported:
            return
        if row.step > self.reported:
            self.trial.report(row.validation_accuracy, row.step)
        if row.step < self.steps and self.trial.should_prune():
            raise TrialPruned


def try_trial(task: SearchTask) -> str | None:
    """Train one trial, or go on with it, and tell Optuna how it ended: complete, pruned, or failed and why.

    Does nothing for a trial that has ended. Returns a sentence where not the trial is at fault, but what all have
    in common: it has not ended then. Raises Interrupted when its worker was asked to end; the state is saved.
    """
    try:
        study = open_study(Path(task.study), prune=task.prune)
        before = study.get_trials(deepcopy=False)[task.number]
        if not before.state.is_finished():
            _go_on(task, trial_at(study, task.number), before.last_step or 0)
    except _SHARED_FAULTS as fault:
        return str(fault)
    return None


def _go_on(task: SearchTask, trial: Trial, reported: int) -> None:
    try:
        run = train_task(task, Pruning(trial, reported, task.config.optimisation.steps))
    except TrialPruned:
        trial.study.tell(trial, state=TrialState.PRUNED)
    except (Interrupted, *_SHARED_FAULTS):
        raise
    except Exception as fault:
        fail(trial, describe(fault))
    else:
        trial.study.tell(trial, run.summary["validation"]["accuracy"])
