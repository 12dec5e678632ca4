"""What a plan will cost, measured on a few steps of some of its variants."""

import time
from collections.abc import Sequence
from statistics import mean

from digitnet.augmentation.augment import make_augmentation
from digitnet.data.load import load_dataset
from digitnet.networks.models import build_network
from digitnet.networks.predict import predict_logits
from digitnet.training.batches import make_batches
from digitnet.training.record import NoRecorder
from digitnet.training.save import NoSaver
from digitnet.training.schedule import make_schedule
from digitnet.training.train import begin, fit, torch_prepared
from digitnet.trials.plan import Plan, Variant

_STEPS, _IMAGES, _SAMPLED = 8, 1_000, 6


def estimate_seconds(plan: Plan) -> float:
    """Mean seconds of a trial on one core, from eight steps of up to six variants, spread over the plan."""
    return mean(_seconds(variant) for variant in _spread(plan.variants, _SAMPLED))


def _spread(variants: Sequence[Variant], count: int) -> list[Variant]:
    """Choose `count` of the variants at equal distances, the first and the last among them."""
    if len(variants) <= count:
        return list(variants)
    return [variants[round(k * (len(variants) - 1) / (count - 1))] for k in range(count)]


def _seconds(variant: Variant) -> float:
    """Estimate one trial: its steps, its validations and its test."""
    config = variant.config
    data = load_dataset(config.images.data, validation_images=config.images.validation_images)
    state = begin(build_network(config, data.image_shape, data.classes), config)
    batches = make_batches(config, data)
    with torch_prepared(config.running.threads or 1):
        took = []
        for steps in (_STEPS, 2 * _STEPS):  # the first steps also pay for torch's start, and do not count
            began = time.perf_counter()
            few = config.replace(steps=steps)
            fit(
                state,
                few,
                batches,
                make_augmentation(config),
                make_schedule(few.optimisation),
                NoRecorder(),
                NoSaver(),
            )
            took.append(time.perf_counter() - began)
        began = time.perf_counter()
        predict_logits(state.network, data.train.images[:_IMAGES])
        an_image = (time.perf_counter() - began) / _IMAGES
    validations = (
        config.optimisation.steps // config.running.validate_every + 1 if config.running.validate_every else 1
    )
    judged = validations * len(data.validation) + len(data.test)
    return took[-1] / _STEPS * config.optimisation.steps + judged * an_image
