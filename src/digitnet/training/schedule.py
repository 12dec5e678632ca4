"""The learning rate as a pure function of the step: a value that can be printed, drawn and tested.

To add a course: write a function of the time since the warm-up, 0 to 1, and name it in COURSES.
"""

import math
from collections.abc import Callable

from digitnet.config import Optimisation
from digitnet.errors import look_up

Schedule = Callable[[int], float]
"""Step, counted from 0, in; learning rate out."""

# Share of the highest rate, as a function of the time t from 0 (end of the warm-up) to 1 (end of the run).
COURSES: dict[str, Callable[[float], float]] = {
    "constant": lambda t: 1.0,
    "linear": lambda t: 1.0 - t,
    "cosine": lambda t: 0.5 * (1.0 + math.cos(math.pi * t)),
}


def make_schedule(optimisation: Optimisation) -> Schedule:
    """Compose the warm-up with the course that it names; raise UsageError for an unknown one."""
    course = look_up("schedule", optimisation.schedule, COURSES)
    rising = round(optimisation.warmup * optimisation.steps)
    falling = max(optimisation.steps - rising, 1)

    def learning_rate(step: int) -> float:
        if step < rising:
            return optimisation.learning_rate * (step + 1) / rising  # the first step moves, the last is at the top
        return optimisation.learning_rate * course((step - rising) / falling)

    return learning_rate
