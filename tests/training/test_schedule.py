"""Schedules: the warm-up, the highest learning rate, and the decay."""

import pytest
import torch

from conftest import BLOG
from digitnet.errors import UsageError
from digitnet.training.schedule import SCHEDULES, make_schedule

CONFIG = BLOG.replace(steps=100, learning_rate=0.5)


def rates(**changes: object) -> list[float]:
    config = CONFIG.replace(**changes)  # type: ignore[arg-type]
    return [make_schedule(config.optimisation)(step) for step in range(config.optimisation.steps)]


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("warmup", [0.0, 0.2, 1.0])
def test_the_highest_rate_is_reached_and_all_are_positive(name: str, warmup: float) -> None:
    values = rates(schedule=name, warmup=warmup)
    assert max(values) == pytest.approx(0.5)
    assert min(values) > 0


def test_constant_is_constant() -> None:
    assert set(rates()) == {0.5}


def test_the_warm_up_rises_linearly_to_the_highest_rate() -> None:
    assert rates(warmup=0.2)[:20] == pytest.approx([0.5 * (i + 1) / 20 for i in range(20)])


def test_linear_and_cosine_are_torchs_own() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    oracles = {
        "linear": torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=100),
        "cosine": torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100),
    }
    for name, oracle in oracles.items():
        optimizer.param_groups[0]["lr"] = 0.5
        expected = []
        for _ in range(100):
            expected.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            oracle.step()
        assert rates(schedule=name) == pytest.approx(expected, abs=1e-9)


def test_an_unknown_schedule_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="Did you mean 'cosine'"):
        make_schedule(BLOG.replace(schedule="cosin").optimisation)
