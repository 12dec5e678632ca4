"""Learning rate schedules: the learning rate as a pure function of the step.

To add one: write a function of the time since the warm-up, 0 to 1, and name it in SCHEDULES.
"""

import math
from collections.abc import Callable

from digitnet.config import Optimisation, ScheduleName

Schedule = Callable[[int], float]
"""Step, counted from 0, in; learning rate out."""

# Fraction of the highest rate as a function of the time t, from 0 (end of the warm-up) to 1 (end of the run)
SCHEDULES: dict[ScheduleName, Callable[[float], float]] = {
    "constant": lambda t: 1.0,
    "linear": lambda t: 1.0 - t,
    "cosine": lambda t: 0.5 * (1.0 + math.cos(math.pi * t)),
}


def make_schedule(optimisation: Optimisation) -> Schedule:
    """Combine the warm-up and the schedule of the configuration."""
    decay = SCHEDULES[optimisation.schedule]
    warmup = round(optimisation.warmup * optimisation.steps)
    remaining = max(optimisation.steps - warmup, 1)

    def learning_rate(step: int) -> float:
        if step < warmup:
            return optimisation.learning_rate * (step + 1) / warmup  # above 0 from the first step
        return optimisation.learning_rate * decay((step - warmup) / remaining)

    return learning_rate
