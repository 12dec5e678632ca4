"""Optuna as functions of the trials so far: what to try next, what to prune, and which fields mattered.

Optuna stores nothing on disk: each function makes a study in memory from the journal.
"""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.pruners import MedianPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from digitnet.trials.journal import Entry
from digitnet.trials.plan import Fields, Plan
from digitnet.trials.ranges import Choices, Span, shown

optuna.logging.set_verbosity(optuna.logging.WARNING)  # otherwise it reports each study

_STATES = {
    "done": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
    "running": TrialState.RUNNING,
}
_ATTEMPTS = 20
_ENOUGH = 10  # completed trials; with fewer, importances are noise


def choose(plan: Plan, entries: Iterable[Entry]) -> Fields:
    """Choose what to try next; first of all, the start.

    The choice depends only on the trials so far, the seed and the number of the trial, not on a state of the
    sampler. So a search that is killed at any time continues as if it had not been. If Optuna proposes what was
    tried already, which would give the same result, it is asked again, up to 20 times.
    """
    trials = [_to_trial(plan, entry) for entry in entries]
    if not trials and _holds(plan, plan.start_fields):
        return plan.start_fields
    distributions = {name: _distribution(span) for name, span in plan.ranges.items()}
    params: dict[str, Any] = {}
    for attempt in range(_ATTEMPTS):
        seed = np.random.SeedSequence((plan.seeds[0], len(trials), attempt)).generate_state(1)[0]
        params = _study(trials, TPESampler(seed=int(seed))).ask(distributions).params
        if all(params != trial.params for trial in trials):
            break
    return {name: _from_param(span, params[name]) for name, span in plan.ranges.items()}


def is_behind(entries: Iterable[Entry], measured: Mapping[int, float]) -> bool:
    """Tell whether a trial with these validation accuracies by step is worse than the median at its last step."""
    done = [
        create_trial(value=entry.accuracy, intermediate_values=dict(entry.validated or {}))
        for entry in entries
        if entry.state == "done"
    ]
    running = create_trial(state=TrialState.RUNNING, intermediate_values=dict(measured))
    return MedianPruner().prune(_study(done), running)


def importances(plan: Plan, entries: Iterable[Entry]) -> dict[str, float]:
    """Return the importance of each field, 0 to 1, largest first (PED-ANOVA, arXiv 2304.10255).

    Empty if fewer than ten trials ran to their end.
    """
    study = make_study(plan, entries)
    if len(study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])) < _ENOUGH:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # experimental in Optuna 4, the default in 5
        return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())


def make_study(plan: Plan, entries: Iterable[Entry]) -> Study:
    """Make an Optuna study of a search, for Optuna's own plots and dashboard."""
    return _study([_to_trial(plan, entry) for entry in entries])


def _study(trials: Iterable[FrozenTrial], sampler: BaseSampler | None = None) -> Study:
    study = optuna.create_study(direction="maximize", sampler=sampler)  # of validation accuracy
    study.add_trials(trials)
    return study


def _to_trial(plan: Plan, entry: Entry) -> FrozenTrial:
    fields, validated = entry.fields or {}, dict(entry.validated or {})
    last = list(validated.values())[-1:]
    return create_trial(
        state=_STATES[entry.state],
        value={"done": entry.accuracy, "pruned": last[0] if last else None}.get(entry.state),
        params={name: _to_param(plan.ranges[name], value) for name, value in fields.items()},
        distributions={name: _distribution(plan.ranges[name]) for name in fields},
        intermediate_values=validated,
    )


def _holds(plan: Plan, fields: Fields) -> bool:
    """Tell whether each value lies in its range, by Optuna's own check."""
    try:
        _to_trial(plan, Entry("", fields=fields))
    except ValueError:
        return False
    return True


def _distribution(span: Span | Choices) -> BaseDistribution:
    if isinstance(span, Choices):
        return CategoricalDistribution([shown(value) for value in span.examples])  # Optuna accepts no lists
    if isinstance(span.low, int) and isinstance(span.high, int):
        return IntDistribution(span.low, span.high, step=int(span.step or 1), log=span.log)
    return FloatDistribution(span.low, span.high, step=span.step, log=span.log)


def _to_param(span: Span | Choices, value: Any) -> Any:
    return shown(value) if isinstance(span, Choices) else value


def _from_param(span: Span | Choices, param: Any) -> Any:
    return next(v for v in span.examples if shown(v) == param) if isinstance(span, Choices) else param
