"""The recipe on one page is the preset fast: the same numbers, and as many correct answers."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from digitnet.networks.models import build_network, parameter_count
from digitnet.networks.preprocessing import PREPROCESSING
from digitnet.presets import PRESETS
from digitnet.training.schedule import make_schedule

ROOT = Path(__file__).parent.parent
FAST = PRESETS["fast"]


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    sys.path.insert(0, str(ROOT / "examples"))
    try:
        import recipe
    finally:
        sys.path.remove(str(ROOT / "examples"))
    return recipe


def test_it_fits_on_a_page() -> None:
    assert len((ROOT / "examples" / "recipe.py").read_text().splitlines()) <= 120


def test_its_numbers_are_those_of_the_preset(recipe: ModuleType) -> None:
    optimisation = FAST.optimisation
    schedule = make_schedule(optimisation)
    assert (optimisation.steps, optimisation.batch_size) == (recipe.STEPS, recipe.BATCH_SIZE)
    assert [recipe.learning_rate(step) for step in range(430)] == pytest.approx([*map(schedule, range(430))])
    assert (optimisation.beta1, optimisation.beta2) == recipe.BETAS
    assert optimisation.label_smoothing == recipe.LABEL_SMOOTHING
    assert optimisation.freeze_after * optimisation.steps == recipe.FREEZE_AFTER
    assert len(recipe.SHIFTS) == FAST.model.tta


def test_its_network_and_its_deskewing_are_those_of_the_preset(recipe: ModuleType) -> None:
    ours = build_network(FAST, (28, 28), 10)
    assert parameter_count(recipe.make_network()) == parameter_count(ours)
    images = torch.randint(0, 256, (9, 1, 28, 28), dtype=torch.uint8)
    deskewed = PREPROCESSING["deskew"]().eval()(images)
    assert torch.allclose(recipe.deskew(images), deskewed, atol=1e-5)


@pytest.mark.acceptance
def test_it_reads_as_many_digits_correctly_as_the_preset(recipe: ModuleType) -> None:
    variants = json.loads((ROOT / "benchmarks" / "results" / "fast.json").read_text())["variants"]
    (test,) = [variant["test"] for variant in variants if variant["results"]["name"] == "steps=430"]
    before = torch.get_num_threads()
    try:
        found = [recipe.main(seed).accuracy for seed in range(3)]
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)
    assert sum(found) / 3 == pytest.approx(test["mean"], abs=4 * test["sd"] / 3**0.5)
