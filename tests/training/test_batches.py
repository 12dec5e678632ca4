"""Batches are a pure function of (seed, step), and every epoch has every image once."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from conftest import BLOG
from digitnet.data.dataset import Dataset
from digitnet.training.batches import Batches, BatchesWithPool, batch_positions, epoch_order, make_batches

seeds = st.integers(0, 2**63 - 1)


@given(seeds, st.integers(1, 50), st.integers(1, 120), st.integers(1, 4))
def test_every_epoch_has_every_image_exactly_once(seed: int, batch_size: int, count: int, epochs: int) -> None:
    steps = -(-epochs * count // batch_size)
    sequence = np.concatenate([batch_positions(seed, step, batch_size, count) for step in range(steps)])
    for epoch in range(epochs):
        assert sorted(sequence[epoch * count : (epoch + 1) * count]) == list(range(count))


@given(seeds, st.integers(0, 10**6), st.integers(1, 300), st.integers(1, 120))
def test_a_batch_is_never_short_and_always_the_same(seed: int, step: int, size: int, count: int) -> None:
    first = batch_positions(seed, step, size, count)
    epoch_order.cache_clear()
    assert len(first) == size
    assert np.array_equal(first, batch_positions(seed, step, size, count))


def test_every_epoch_and_every_seed_has_its_own_order() -> None:
    orders = [tuple(epoch_order(seed, epoch, 100)) for seed in range(3) for epoch in range(3)]
    assert len(set(orders)) == 9


def test_a_batch_that_crosses_an_epochs_end_takes_its_rest_and_the_beginning_of_the_next() -> None:
    old, new = epoch_order(3, 0, 55_000), epoch_order(3, 1, 55_000)
    assert np.array_equal(batch_positions(3, 428, 128, 55_000), old[54_784:54_912])
    assert np.array_equal(batch_positions(3, 429, 128, 55_000), [*old[54_912:], *new[:40]])
    assert np.array_equal(batch_positions(3, 430, 128, 55_000), new[40:168])


def test_images_come_with_their_own_labels(drawn: Dataset) -> None:
    batches = Batches(drawn.train, batch_size=64, seed=5)
    for step in (0, 7, 8, 1000):
        images, labels = batches.at(step)
        positions = batch_positions(5, step, 64, len(drawn.train))
        assert np.array_equal(images[:, 0].numpy(), drawn.train.images[positions])
        assert np.array_equal(labels.numpy(), drawn.train.labels[positions])


def test_a_pool_replaces_the_last_images_of_each_batch(drawn: Dataset) -> None:
    plain = Batches(drawn.train, batch_size=40, seed=5)
    pool = torch.randint(0, 256, (30, 1, 28, 28), dtype=torch.uint8), torch.full((30,), 10)
    mixed = BatchesWithPool(plain, pool, count=6, after=0)
    seen = set()
    for step in range(5):  # five times six of thirty: each once
        images, labels = mixed.at(step)
        expected, expected_labels = plain.at(step)
        assert torch.equal(images[:34], expected[:34]) and torch.equal(labels[:34], expected_labels[:34])
        assert labels[34:].tolist() == [10] * 6
        seen.update(image.numpy().tobytes() for image in images[34:])
        assert torch.equal(mixed.at(step)[0], images)
    assert seen == {image.numpy().tobytes() for image in pool[0]}


def test_two_pools_replace_different_images(drawn: Dataset) -> None:
    plain = Batches(drawn.train, batch_size=40, seed=5)
    first, last = ((torch.zeros(30, 1, 28, 28, dtype=torch.uint8), torch.full((30,), label)) for label in (10, 11))
    mixed = BatchesWithPool(BatchesWithPool(plain, first, count=6, after=4), last, count=4, after=0)
    labels = mixed.at(3)[1]
    assert torch.equal(labels[:30], plain.at(3)[1][:30])
    assert labels[30:].tolist() == [10] * 6 + [11] * 4


def test_batches_have_outliers_only_if_the_configuration_does(drawn: Dataset) -> None:
    config = BLOG.replace(batch_size=20)
    for fraction, labels in ((0.0, set(range(10))), (0.5, {*range(10), 10})):
        batches = make_batches(config.replace(outliers=fraction), drawn)
        assert {label for step in range(10) for label in batches.at(step)[1].tolist()} == labels
