"""Networks: their numbers of parameters, a reference implementation, and weights that follow from the seed."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from conftest import BLOG
from digitnet.errors import RunError, UsageError
from digitnet.networks.models import NETWORKS, Ensemble, build_network, parameter_count
from digitnet.presets import PRESETS
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network
from digitnet.training.loss import make_loss

PINNED = {
    "blog": 417_482,  # 16 * 26 + 32 * (16 * 25 + 1) + 256 * (1,568 + 1) + 256 * 10 + 10
    "fast": 158_674,  # 8 * (25 + 2) + 24 * (8 * 9 + 2) + 256 * (600 + 2) + 256 * 10 + 10
    "best": 73_786,  # 16 * (25 + 2) + 48 * (144 + 2) + 48 * (432 + 2) + 96 * (432 + 2) + 384 * 10 + 10
    "reader": 213_683,  # 16 * 27 + 32 * 146 + 48 * 290 + 96 * 434 + 128 * (384 + 2) + 128 * 11 + 11
    "tiny": 19_758,  # 16 * (25 + 2) + 26 * (144 + 2) + 26 * (234 + 2) + 34 * (234 + 2) + 136 * 10 + 10
    "micro": 1_898,  # 16 * (25 + 2) + 3 * (16 * 9 + 16 * (16 + 2)) + 16 * 10 + 10
}


def test_every_preset_has_its_pinned_number_of_parameters() -> None:
    counts = {name: parameter_count(build_network(config, (28, 28), 10)) for name, config in PRESETS.items()}
    assert counts == PINNED


def test_every_network_is_the_network_of_a_preset() -> None:
    assert {config.model.network for config in PRESETS.values()} == NETWORKS.keys()


class Reference(nn.Module):
    """The blog's network as the blog describes it: ReLU before the pool, torch's default layout."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 16, 5, padding=2)
        self.second = nn.Conv2d(16, 32, 5, padding=2)
        self.hidden = nn.Sequential(nn.Linear(1568, hidden), nn.ReLU()) if hidden else nn.Sequential()
        self.last = nn.Linear(hidden or 1568, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = F.max_pool2d(F.relu(self.first(images.double() / 255)), 2)
        maps = F.max_pool2d(F.relu(self.second(maps)), 2)
        return self.last(self.hidden(maps.flatten(1)))


@pytest.mark.parametrize("hidden", [0, 32])
def test_the_blogs_network_has_the_outputs_and_gradients_of_the_reference(hidden: int) -> None:
    # in float64: in float32 rounding decides some ties of a pool, and with them the path of the gradient
    ours, reference = build_network(BLOG.replace(hidden=hidden), (28, 28), 10).double(), Reference(hidden).double()
    ours[0] = ToFloat(torch.float64)
    with torch.no_grad():
        for own, theirs in zip(ours.parameters(), reference.parameters(), strict=True):
            theirs.copy_(own)
    images = torch.randint(0, 256, (32, 1, 28, 28), dtype=torch.uint8)
    labels = torch.arange(32) % 10
    for network in (ours, reference):
        F.cross_entropy(network(images), labels).backward()
    assert torch.allclose(ours(images), reference(images), atol=1e-10)
    for own, theirs in zip(ours.parameters(), reference.parameters(), strict=True):
        assert torch.allclose(own.grad, theirs.grad, atol=1e-10)


@pytest.mark.parametrize("shape", [(28, 28), (8, 8), (1, 1), (9, 17)])
@pytest.mark.parametrize("filters", [(4,), (4, 6, 8), (2, 2, 2, 2, 2)])
def test_images_of_any_size_pass_through_any_number_of_layers(
    shape: tuple[int, int], filters: tuple[int, ...]
) -> None:
    network = build_network(BLOG.replace(filters=filters, kernel_size=3), shape, 7)
    assert network(torch.zeros(3, 1, *shape, dtype=torch.uint8)).shape == (3, 7)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_new_network_is_in_training_mode_with_fresh_batch_norm_statistics(name: str) -> None:
    network = build_network(BLOG.replace(network=name), (28, 28), 10)
    assert all(module.training for module in network.modules())
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.num_batches_tracked == 0
            assert torch.equal(module.running_mean, torch.zeros(module.num_features))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_memory_layout_changes_neither_outputs_nor_gradients(name: str) -> None:
    """Some layers have been wrong on some processors in one layout only (oneDNN issue 6035).

    In float64 the layouts agree to the last bits. In float32 a gradient may go through another pixel of a pool
    when two are equal, so only its norm is compared: the error of a wrong gradient is as large as the gradient.
    """
    ours = build_network(BLOG.replace(network=name), (28, 28), 10).double()
    usual = copy.deepcopy(ours).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    single = copy.deepcopy(ours).float()
    generator = torch.Generator().manual_seed(5)
    images = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8, generator=generator)
    for network in (ours, usual, single):
        network[0] = ToFloat(next(network.parameters()).dtype)
        F.cross_entropy(network(images), torch.arange(64) % 10).backward()
    for own, same, short in zip(ours.parameters(), usual.parameters(), single.parameters(), strict=True):
        assert torch.allclose(own.grad, same.grad, atol=1e-10)
        assert (own.grad - short.grad).norm() <= 0.05 * own.grad.norm() + 1e-6


class ToFloat(nn.Module):
    """Scales bytes to 0 to 1 in any floating-point type."""

    def __init__(self, kind: torch.dtype) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.to(self.kind) / 255


@pytest.mark.parametrize("name", NETWORKS)
def test_the_prediction_of_an_image_does_not_depend_on_its_batch(name: str) -> None:
    network = build_network(BLOG.replace(network=name), (28, 28), 10).eval()
    images = torch.randint(0, 256, (20, 1, 28, 28), dtype=torch.uint8)
    alone = torch.cat([network(image[None]) for image in images])
    assert torch.allclose(network(images), alone, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "blog"])
@pytest.mark.parametrize(("field", "value"), [("filters", (8, 8)), ("kernel_size", 3), ("hidden", 64)])
def test_a_field_that_would_have_no_effect_is_refused(name: str, field: str, value: object) -> None:
    config = BLOG.replace(network=name).replace(**{field: value})
    with pytest.raises(UsageError, match=f"{field}: expected network='blog'.* found network={name!r}"):
        build_network(config, (28, 28), 10)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_ensemble_predicts_the_mean_probability_and_its_first_member_is_the_single_network(name: str) -> None:
    alone = build_network(BLOG.replace(network=name), (28, 28), 10).eval()
    together = build_network(BLOG.replace(network=name, members=3), (28, 28), 10).eval()
    assert isinstance(together, Ensemble)
    images = torch.randint(0, 256, (20, 1, 28, 28), dtype=torch.uint8)
    answers = torch.stack([member(images) for member in together.members])  # (3, 20, 10)
    probabilities = answers.softmax(dim=2)
    assert torch.allclose(together(images).softmax(dim=1), probabilities.mean(dim=0), atol=1e-6)
    assert torch.allclose(together(images).logsumexp(dim=1), answers.logsumexp(dim=2).mean(dim=0), atol=1e-5)
    assert torch.equal(together.members[0](images), alone(images))
    assert not torch.allclose(probabilities[0], probabilities[1])
    assert parameter_count(together) == 3 * parameter_count(alone)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_each_member_of_an_ensemble_trains_on_its_own_images_as_if_alone(smoothing: float) -> None:
    """In float64; the mean over three members makes the gradient of each a third as large."""
    together = build_network(BLOG.replace(network="tiny", members=3), (28, 28), 10).double()
    assert isinstance(together, Ensemble)
    for member in together.members:
        member[0] = ToFloat(torch.float64)
    members = copy.deepcopy(together.members)
    images, labels = torch.randint(0, 256, (24, 1, 28, 28), dtype=torch.uint8), torch.arange(24) % 10
    loss = make_loss(BLOG.replace(label_smoothing=smoothing).optimisation)
    value, recorded = loss(together(images), labels)
    value.backward()
    recorded_alone = []
    for index, (member, alone) in enumerate(zip(together.members, members, strict=True)):
        value, cross_entropy = loss(alone(images[index::3]), labels[index::3])
        value.backward()
        recorded_alone.append(cross_entropy)
        for own, expected in zip(member.parameters(), alone.parameters(), strict=True):
            assert torch.allclose(3 * own.grad, expected.grad, atol=1e-10)
        assert torch.equal(member[2].running_mean, alone[2].running_mean)
    assert torch.allclose(recorded, torch.stack(recorded_alone).mean())


def test_a_network_trained_with_outliers_has_one_more_logit() -> None:
    images = torch.randint(0, 256, (3, 1, 28, 28), dtype=torch.uint8)
    for members in (1, 2):
        network = build_network(BLOG.replace(outliers=0.1, members=members), (28, 28), 10).eval()
        assert network(images).shape == (3, 11)


def test_an_image_that_is_too_small_for_a_network_is_refused_with_its_size() -> None:
    with pytest.raises(UsageError, match=r"network='fast': expected larger images, found 9 x 28 pixels"):
        build_network(BLOG.replace(network="fast"), (9, 28), 10)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_trains_on_single_images_or_says_why_not(name: str) -> None:
    config = BLOG.replace(network=name, batch_size=1)
    try:
        network = build_network(config, (28, 28), 10)
    except UsageError as refused:
        assert str(refused).startswith(f"batch_size: expected at least 2 for network={name!r}")
        config = config.replace(batch_size=2)
        network = build_network(config, (28, 28), 10)
    network(torch.zeros(config.optimisation.batch_size, 1, 28, 28, dtype=torch.uint8)).sum().backward()


def test_the_initial_weights_follow_from_the_seed_and_keep_the_callers_random_state() -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    first, same, other = (build_network(BLOG.replace(seed=seed), (28, 28), 10) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), same.parameters(), strict=True))
    weights = (pair for pair in zip(first.parameters(), other.parameters(), strict=True) if pair[0].dim() > 1)
    assert not any(torch.equal(a, b) for a, b in weights)


def test_an_unknown_network_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="Did you mean 'blog'"):
        build_network(BLOG.replace(network="blogg"), (28, 28), 10)


def test_weights_of_another_network_are_refused_with_the_command_that_trains_the_run_anew(finished: Run) -> None:
    file = finished.path / "config.toml"
    file.write_text(finished.config.replace(filters=(4, 9)).to_toml())
    with pytest.raises(RunError, match=r"do not fit .* digitnet train blog .*--filters 4 9 ") as caught:
        load_network(Run(finished.path))
    assert "\n" not in str(caught.value)


def test_a_run_without_a_checkpoint_has_no_network_to_load(finished: Run) -> None:
    assert parameter_count(load_network(finished)) > 0
    empty = Run(finished.path)
    checkpoint = empty.path / "checkpoint.json"
    content = checkpoint.read_bytes()
    checkpoint.unlink()
    try:
        with pytest.raises(RunError, match="expected a checkpoint, found none"):
            load_network(empty)
    finally:
        checkpoint.write_bytes(content)
