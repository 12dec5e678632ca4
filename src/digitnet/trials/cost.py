"""How long a plan will take, measured on a few steps of some of its variants."""

import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import mean

from digitnet.data.load import load_dataset
from digitnet.networks.predict import predict_logits
from digitnet.training.session import prepare
from digitnet.training.train import fit, torch_settings
from digitnet.trials.plan import Plan, Variant

_STEPS, _IMAGES, _SAMPLED = 8, 1_000, 6


def estimate_seconds(plan: Plan) -> float:
    """Estimate the mean seconds of a trial on one core from eight steps of up to six variants of the plan."""
    return mean(_seconds(variant) for variant in _sample(plan.variants, _SAMPLED))


def _sample(variants: Sequence[Variant], count: int) -> list[Variant]:
    """Choose `count` evenly spaced variants, with the first and the last."""
    if len(variants) <= count:
        return list(variants)
    return [variants[round(k * (len(variants) - 1) / (count - 1))] for k in range(count)]


def _seconds(variant: Variant) -> float:
    """Estimate one trial: its steps, its validations and its test."""
    config = variant.config
    data = load_dataset(config.images.data, validation_images=config.images.validation_images)
    session = prepare(config, data)
    with torch_settings(config.running.threads or 1):
        took = []
        for steps in (_STEPS, 2 * _STEPS):  # the first round warms torch up, and does not count
            began = time.perf_counter()
            fit(replace(session, steps=steps))
            took.append(time.perf_counter() - began)
        began = time.perf_counter()
        predict_logits(session.state.network, data.train.images[:_IMAGES])
        an_image = (time.perf_counter() - began) / _IMAGES
    every = config.running.validate_every
    validations = config.optimisation.steps // every + 1 if every else 1
    images = validations * len(data.validation) + len(data.test)
    return took[-1] / _STEPS * config.optimisation.steps + images * an_image
