"""Images followed through a network are what the network itself computes, layer by layer."""

from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from conftest import BLOG
from digitnet.evaluation.layers import filters_of, maps_of, trace_layers
from digitnet.networks.models import Ensemble, build_network, parameter_count
from digitnet.presets import PRESETS, preset

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)


def trained(name: str, **fields: object) -> nn.Module:
    """A network whose BatchNorm has seen images, as after training; some of its scales are negative."""
    network = build_network(preset(name).replace(**{"tta": 1, **fields}), (28, 28), classes=10)
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.running_mean = 0.1 * torch.randn(module.num_features, generator=generator)
            module.running_var = 0.5 + torch.rand(module.num_features, generator=generator)
            module.weight.data = torch.randn(module.num_features, generator=generator)
            module.bias.data = torch.randn(module.num_features, generator=generator)
    return network


@pytest.mark.parametrize("name", PRESETS)
def test_the_last_layer_ends_in_the_networks_logits_and_no_parameter_is_missing(name: str) -> None:
    network = trained(name)
    layers = trace_layers(network, IMAGES)
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(IMAGES)[:, None])
    assert layers[-1].outputs == pytest.approx(logits.numpy(), abs=1e-4)
    assert sum(layer.parameters for layer in layers) == parameter_count(network)


@pytest.mark.parametrize("name", PRESETS)
def test_each_convolution_follows_from_the_layer_before_it_and_its_weights(name: str) -> None:
    layers = trace_layers(trained(name), IMAGES)
    convolutions = [k for k, layer in enumerate(layers) if layer.kind == "convolution"]
    assert convolutions
    for k in convolutions:
        layer, given = layers[k], torch.from_numpy(layers[k - 1].outputs)
        bias = None if layer.bias is None else torch.from_numpy(layer.bias)
        expected = F.conv2d(given, torch.from_numpy(layer.weights), bias, **layer.geometry)
        assert layer.sums == pytest.approx(expected.numpy(), abs=1e-4)


@pytest.mark.parametrize("name", PRESETS)
def test_each_pool_keeps_the_largest_of_what_comes_before(name: str) -> None:
    layers = trace_layers(trained(name), IMAGES)
    for before, layer in pairwise(layers):
        if layer.kind == "pool":
            expected = F.max_pool2d(torch.from_numpy(before.outputs), layer.geometry["size"])
            assert layer.sums == pytest.approx(expected.numpy(), abs=1e-4)


@pytest.mark.parametrize("name", PRESETS)
def test_the_maps_of_a_convolution_are_what_the_next_layer_is_given(name: str) -> None:
    network = trained(name)
    given: list[torch.Tensor] = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.AdaptiveAvgPool2d | nn.Linear):
            module.register_forward_pre_hook(lambda layer, inputs: given.append(inputs[0][0]))
    maps = maps_of(trace_layers(network, IMAGES))
    assert maps
    for found, expected in zip(maps, given[1:], strict=False):  # dense layers come last
        assert found.ravel() == pytest.approx(expected.numpy().ravel(), abs=1e-4)


def test_the_blogs_network_has_16_and_32_filters_and_a_pool_halves_the_sides_of_their_maps() -> None:
    layers = trace_layers(trained("blog"), IMAGES)
    assert [weights.shape for weights in filters_of(layers)] == [(16, 1, 5, 5), (32, 16, 5, 5)]
    assert [maps.shape for maps in maps_of(layers)] == [(16, 14, 14), (32, 7, 7)]


def test_the_weights_are_a_copy() -> None:
    network = trained("blog")
    filters_of(trace_layers(network, IMAGES))[0][:] = 0
    assert filters_of(trace_layers(network, IMAGES))[0].any()


def test_a_network_without_convolutions_has_no_filters_and_no_maps() -> None:
    network = nn.Sequential(build_network(BLOG, (28, 28), 10)[0], nn.Flatten(), nn.Linear(784, 10))
    layers = trace_layers(network, IMAGES)
    assert filters_of(layers) == maps_of(layers) == []


def test_the_first_layer_is_the_image_from_0_to_1() -> None:
    assert trace_layers(trained("blog"), IMAGES)[0].outputs[:, 0] == pytest.approx(IMAGES / 255, abs=1e-6)


def test_test_time_augmentation_is_left_out() -> None:
    averaged, plain = (trace_layers(trained("fast", tta=copies), IMAGES) for copies in (5, 1))
    assert np.array_equal(averaged[-1].outputs, plain[-1].outputs)


def test_of_an_ensemble_the_first_member_is_followed() -> None:
    members = [build_network(BLOG.replace(seed=seed), (28, 28), classes=10) for seed in (4, 5)]
    together = trace_layers(Ensemble(members), IMAGES)
    assert np.array_equal(together[-1].outputs, trace_layers(members[0], IMAGES)[-1].outputs)


def test_a_pool_that_leaves_a_single_pixel_as_it_is_is_no_layer() -> None:
    network = build_network(BLOG.replace(filters=(2, 2, 2)), (2, 2), classes=3)
    layers = trace_layers(network, IMAGES[:, :2, :2])
    assert [layer.kind for layer in layers] == [
        "image",
        "convolution",
        "pool",
        *["convolution"] * 2,
        "dense",
        "dense",
    ]


def test_a_sequence_inside_a_sequence_is_followed_too_and_what_changes_nothing_is_left_out() -> None:
    inner = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Dropout(), nn.ReLU())
    network = nn.Sequential(inner, nn.Flatten(), nn.Sigmoid(), nn.Linear(2 * 26 * 26, 4))
    floats = nn.Sequential(build_network(BLOG, (28, 28), 10)[0], *network)
    assert [layer.name for layer in trace_layers(floats, IMAGES)] == ["Image", "Convolution", "Sigmoid", "Dense"]


def test_a_network_that_is_no_sequence_of_layers_has_none_to_show() -> None:
    assert trace_layers(nn.Linear(784, 10), IMAGES) == []


def test_the_network_stays_in_its_mode() -> None:
    network = trained("fast").train()
    trace_layers(network, IMAGES)
    assert network.training
