"""The networks. To add one: write the list of its layers, name it in NETWORKS, and pin its parameters in tests.

Every network takes raw images ``(B, 1, rows, columns)`` uint8, 0 to 255, and returns logits ``(B, K)``; with
`outliers` in the configuration there is one more logit, the last, for "not a digit". The preprocessing before the
layers and the last dense layer after them are added here. The layers are torch's lazy ones, which infer their
number of inputs from the first image.
"""

import warnings
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from digitnet.config import BlogLayers, NetworkName, TrainConfig
from digitnet.errors import UsageError
from digitnet.networks.initial_weights import set_initial_weights
from digitnet.networks.preprocessing import make_preprocessing
from digitnet.networks.test_time_augmentation import TestTimeAugmentation, average_predictions
from digitnet.wording import option

Layers = list[nn.Module]


class MaxPool2x2(nn.MaxPool2d):
    """Max pool of 2 x 2, which leaves an image with a side of one pixel as it is."""

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, images: Tensor) -> Tensor:
        """Pool maps ``(B, C, rows, columns)``."""
        return super().forward(images) if min(images.shape[-2:]) > 1 else images


def blog(options: BlogLayers) -> Layers:
    """List the blog's layers: convolution, max pool, ReLU for each of `options.filters`, then dense and ReLU.

    The pool comes before the ReLU: max pooling and ReLU commute, and this way the ReLU has a quarter of the work.
    """
    layers: Layers = []
    for count in options.filters:
        convolution = nn.LazyConv2d(count, options.kernel_size, padding=options.kernel_size // 2)
        layers += [convolution, MaxPool2x2(), nn.ReLU()]
    layers.append(nn.Flatten())  # (B, 1568) for the preset
    if options.hidden:
        layers += [nn.LazyLinear(options.hidden), nn.ReLU()]  # (B, 256) for the preset
    return layers


def fast() -> Layers:
    """List the layers that are most accurate after a few seconds of training on a CPU.

    Without padding, since the border of an image is background: 0.4 million multiplications per image, where the
    blog's network needs 2.8 million. BatchNorm allows sixty times the blog's learning rate.
    """
    return [
        *convolution(8, 5, pool=True),  # (B, 8, 12, 12)
        *convolution(24, 3, pool=True),  # (B, 24, 5, 5)
        nn.Flatten(),
        *dense(256),
    ]


def tiny() -> Layers:
    """List layers with fewer than 20,000 parameters: a convolution of stride 2, then three narrow ones."""
    return [
        *convolution(16, 5, stride=2),  # (B, 16, 12, 12)
        *convolution(26, 3),  # (B, 26, 10, 10)
        *convolution(26, 3, pool=True),  # (B, 26, 4, 4)
        *convolution(34, 3),  # (B, 34, 2, 2)
        nn.Flatten(),
    ]


def micro() -> Layers:
    """List layers with fewer than 2,000 parameters: a convolution of stride 2, then separable ones."""
    return [
        *convolution(16, 5, stride=2),  # (B, 16, 12, 12)
        *separable(16, 16),  # (B, 16, 10, 10)
        *separable(16, 16, pool=True),  # (B, 16, 4, 4)
        *separable(16, 16),  # (B, 16, 2, 2)
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),  # (B, 16)
    ]


def best() -> Layers:
    """List the layers that are most accurate after a few minutes of training on a CPU."""
    return [
        *convolution(16, 5, pool=True),  # (B, 16, 12, 12)
        *convolution(48, 3),  # (B, 48, 10, 10)
        *convolution(48, 3, pool=True),  # (B, 48, 4, 4)
        *convolution(96, 3),  # (B, 96, 2, 2)
        nn.Flatten(),
    ]


def reader() -> Layers:
    """List layers that also learn pens, papers and hands unlike MNIST's, in less than a megabyte."""
    return [
        *convolution(24, 5, stride=2),  # (B, 24, 12, 12)
        *convolution(48, 3),  # (B, 48, 10, 10)
        *convolution(64, 3, pool=True),  # (B, 64, 4, 4)
        *convolution(128, 3),  # (B, 128, 2, 2)
        nn.Flatten(),
        *dense(192),
    ]


def convolution(filters: int, size: int, *, stride: int = 1, pool: bool = False) -> Layers:
    """List a convolution, a max pool if `pool`, BatchNorm and ReLU; the bias is BatchNorm's.

    After the pool, BatchNorm and ReLU have a quarter of the work.
    """
    pooling: Layers = [MaxPool2x2()] if pool else []
    return [nn.LazyConv2d(filters, size, stride, bias=False), *pooling, nn.LazyBatchNorm2d(), nn.ReLU()]


def separable(inputs: int, filters: int, *, pool: bool = False) -> Layers:
    """List a separable convolution: a 3 x 3 filter for each of `inputs` maps, then 1 x 1 filters that mix them.

    It has ``inputs * (9 + filters)`` weights, where a convolution has ``inputs * 9 * filters`` (Chollet 2017,
    arXiv 1610.02357).
    """
    return [nn.LazyConv2d(inputs, 3, groups=inputs, bias=False), *convolution(filters, 1, pool=pool)]


def dense(units: int) -> Layers:
    """List a dense layer, BatchNorm and ReLU."""
    return [nn.LazyLinear(units, bias=False), nn.LazyBatchNorm1d(), nn.ReLU()]


NETWORKS: dict[NetworkName, Callable[..., Layers]] = {
    "blog": blog,
    "fast": fast,
    "best": best,
    "tiny": tiny,
    "micro": micro,
    "reader": reader,
}
"""Every network, by its name; one whose name is also a field of `config.Model` is given that field's options."""


class Ensemble(nn.Module):
    """Several networks that are trained independently; the prediction is their mean probability."""

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(B, K)``: in training each by one member, otherwise those of the mean probability.

        In training, member i of M takes the images i, i + M, i + 2M, ..., so each has as many images in a shard of
        the batch. The logits are in the order of the images.
        """
        if self.training:
            count = len(self.members)
            logits = [member(images[index::count]) for index, member in enumerate(self.members)]
            return torch.stack(logits, dim=1).flatten(0, 1)
        return average_predictions(torch.stack([member(images) for member in self.members]))


def build_network(config: TrainConfig, image_shape: tuple[int, int], classes: int) -> nn.Module:
    """Build the network of the configuration, or an ensemble of it, with initial weights from the seed.

    In the channels-last layout, and with the pool before the ReLU, a step of the blog's network is 1.4 to 1.7
    times as fast as in torch's defaults (two cores, batch 128; benchmarks/step_time.py). Raises UsageError for an
    unknown name, for fields that the network does not have, and for images and batches that are too small for it.
    """
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):  # keeps the caller's random state
        warnings.filterwarnings("ignore", "Lazy modules are a new feature")
        torch.default_generator.manual_seed(config.seed)
        outputs = classes + 1 if config.images.has_outliers else classes
        members = [_build_member(config, image_shape, outputs) for _ in range(config.model.members)]
    network = Ensemble(members) if config.model.members > 1 else members[0]
    return network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # a gap in torch


def _build_member(config: TrainConfig, image_shape: tuple[int, int], outputs: int) -> nn.Module:
    """Build one network; its lazy layers infer their inputs in evaluation mode, which BatchNorm does not count."""
    preprocessing = make_preprocessing(config.model.preprocessing)
    network = nn.Sequential(preprocessing, *_layers(config), nn.LazyLinear(outputs)).eval()
    rows, columns = image_shape
    named = option("network", config.model.network)
    try:
        with torch.no_grad():
            network(torch.zeros(1, 1, rows, columns, dtype=torch.uint8))
    except RuntimeError as error:
        raise UsageError.mismatch(
            named,
            expected="larger images",
            found=f"{rows} x {columns} pixels, too few for its layers ({error})",
            remedy="The network blog takes any size.",
        ) from error
    set_initial_weights(network, config.model.initial_weights)
    if config.optimisation.batch_size == 1 and any(isinstance(layer, nn.BatchNorm1d) for layer in network):
        raise UsageError.mismatch(
            option("batch_size"),
            expected=f"at least 2 for {named}, whose BatchNorm needs a mean over images",
            found=1,
            remedy="The network blog takes single images.",
        )
    return TestTimeAugmentation(*network) if config.model.tta > 1 else network


def _layers(config: TrainConfig) -> Layers:
    network = config.model.network
    layers = NETWORKS[network]
    for other, options in config.model.layers.items():
        for name, value in vars(options).items():
            if other != network and value != getattr(type(options)(), name):
                raise UsageError.mismatch(
                    option(name),
                    expected=f"{option('network', other)}, whose layers it sets",
                    found=f"{option('network', network)}, which has no such option",
                    remedy=f"Leave it out, or start from the preset: digitnet train {other}",
                )
    return layers(config.model.layers[network]) if network in config.model.layers else layers()


def parameter_count(network: nn.Module) -> int:
    """Count the trainable parameters, also those that are frozen at some steps."""
    return sum(parameter.numel() for parameter in network.parameters())
