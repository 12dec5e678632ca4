"""Filters are the weights of the convolutions, and feature maps their activations."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from conftest import BLOG
from digitnet.evaluation.feature_maps import activations, filters
from digitnet.networks.models import build_network

IMAGE = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)


def blog() -> nn.Module:
    return build_network(BLOG, (28, 28), classes=10)


def test_the_blogs_network_has_16_and_32_filters() -> None:
    assert [weights.shape for weights in filters(blog())] == [(16, 1, 5, 5), (32, 16, 5, 5)]


def test_filters_are_a_copy() -> None:
    network = blog()
    filters(network)[0][:] = 0

    assert filters(network)[0].any()


def test_feature_maps_have_the_size_of_the_layers_input() -> None:
    assert [maps.shape for maps in activations(blog(), IMAGE)] == [(16, 28, 28), (32, 14, 14)]


def test_the_first_feature_maps_are_the_convolution_of_the_image() -> None:
    network = blog()
    layer = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    expected = layer(torch.from_numpy(IMAGE / np.float32(255))[None, None]).relu()[0].detach().numpy()

    assert activations(network, IMAGE)[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["blog", "fast", "tiny", "best"])
def test_the_feature_maps_are_the_inputs_of_the_next_layers(name: str) -> None:
    network = build_network(BLOG.replace(network=name), (28, 28), classes=10).eval()
    generator = torch.Generator().manual_seed(0)
    expected_maps: list[torch.Tensor] = []
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # as after training
            module.running_mean = 0.1 * torch.randn(module.num_features, generator=generator)
            module.running_var = 0.5 + torch.rand(module.num_features, generator=generator)
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda layer, inputs, output: expected_maps.append(output[0].detach()))
    maps = [torch.from_numpy(found) for found in activations(network, IMAGE)]
    assert maps
    for found, expected in zip(maps, expected_maps, strict=False):  # a dense layer's ReLU comes last
        pooled = found if found.shape == expected.shape else F.max_pool2d(found, 2)
        torch.testing.assert_close(pooled, expected)


def test_with_test_time_augmentation_the_feature_maps_are_those_of_the_unshifted_image() -> None:
    several = build_network(BLOG.replace(tta=5), (28, 28), classes=10)
    for maps, expected in zip(activations(several, IMAGE), activations(blog(), IMAGE), strict=True):
        np.testing.assert_array_equal(maps, expected)


def test_the_network_keeps_its_mode_and_gets_no_hooks() -> None:
    network = blog().train()
    activations(network, IMAGE)

    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


def test_a_network_without_convolutions_has_no_filters_and_no_maps() -> None:
    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(784, 10)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.layer(images.flatten(1).float())

    assert filters(Dense()) == []
    assert activations(Dense(), IMAGE) == []
