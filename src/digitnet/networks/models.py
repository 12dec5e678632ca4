"""The networks. To add one: write the list of its layers, name it in NETWORKS, and pin its parameters in tests.

Every network takes the raw images ``(B, 1, rows, columns)`` uint8, 0 to 255, and returns logits ``(B, K)``; with
`not_digits` in the configuration one more, the last, for "not a digit". What prepares the images before its layers
and the last dense layer behind them are added here: each travels with the weights. Layers are
torch's lazy ones, which learn their number of inputs from the first image.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass

import torch
from torch import Tensor, nn

from digitnet.checks import flag
from digitnet.config import BlogLayers, TrainConfig
from digitnet.errors import UsageError, look_up
from digitnet.networks.preprocessing import preparation
from digitnet.networks.test_time_augmentation import Views, mean_answer

Layers = list[nn.Module]


class Halve(nn.MaxPool2d):
    """Max pool of 2 x 2; an image with a side of a single pixel is left as it is."""

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, images: Tensor) -> Tensor:
        """Keep the largest of each four pixels."""
        return super().forward(images) if min(images.shape[-2:]) > 1 else images


def blog(options: BlogLayers) -> Layers:
    """List the blog's layers: convolution, max pool, ReLU for each of `options.filters`, then dense.

    The pool stands before the ReLU: both only ever keep the largest, so they commute, and a quarter of the work
    is left for the ReLU.
    """
    layers: Layers = []
    for count in options.filters:
        convolution = nn.LazyConv2d(count, options.kernel_size, padding=options.kernel_size // 2)
        layers += [convolution, Halve(), nn.ReLU()]
    layers.append(nn.Flatten())  # (B, 1568) for the preset
    if options.hidden:
        layers += [nn.LazyLinear(options.hidden), nn.ReLU()]
    return layers


def fast() -> Layers:
    """List the layers that learn most in a few seconds of a processor.

    Without padding, since the border of an image is background: 0.4 million multiplications for an image, where
    the blog's network has 2.8 million. BatchNorm bears sixty times the blog's learning rate.
    """
    return [
        *convolution(8, 5, halve=True),  # (B, 8, 12, 12)
        *convolution(24, 3, halve=True),  # (B, 24, 5, 5)
        nn.Flatten(),
        *dense(256),
    ]


def tiny() -> Layers:
    """List layers that read well with less than 20,000 parameters: three thin convolutions behind a coarse one."""
    return [
        *convolution(16, 5, stride=2),  # (B, 16, 12, 12)
        *convolution(26, 3),  # (B, 26, 10, 10)
        *convolution(26, 3, halve=True),  # (B, 26, 4, 4)
        *convolution(34, 3),  # (B, 34, 2, 2)
        nn.Flatten(),
    ]


def micro() -> Layers:
    """List layers that read well with less than 2,000 parameters: separable convolutions behind a coarse one."""
    return [
        *convolution(16, 5, stride=2),  # (B, 16, 12, 12)
        *separable(16, 16),  # (B, 16, 10, 10)
        *separable(16, 16, halve=True),  # (B, 16, 4, 4)
        *separable(16, 16),  # (B, 16, 2, 2)
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),  # (B, 16)
    ]


def best() -> Layers:
    """List the layers that read best in a few minutes of a processor."""
    return [
        *convolution(16, 5, halve=True),  # (B, 16, 12, 12)
        *convolution(48, 3),  # (B, 48, 10, 10)
        *convolution(48, 3, halve=True),  # (B, 48, 4, 4)
        *convolution(96, 3),  # (B, 96, 2, 2)
        nn.Flatten(),
    ]


def reader() -> Layers:
    """List layers with room for other pens, papers and hands than MNIST's, in less than half a megabyte."""
    return [
        *convolution(16, 5, stride=2),  # (B, 16, 12, 12)
        *convolution(32, 3),  # (B, 32, 10, 10)
        *convolution(48, 3, halve=True),  # (B, 48, 4, 4)
        *convolution(96, 3),  # (B, 96, 2, 2)
        nn.Flatten(),
        *dense(128),
    ]


def convolution(filters: int, size: int, *, stride: int = 1, halve: bool = False) -> Layers:
    """Make a convolution, with a pool or without, BatchNorm and ReLU; the BatchNorm brings the bias.

    Behind the pool, BatchNorm and ReLU have a quarter of the work.
    """
    pool: Layers = [Halve()] if halve else []
    return [nn.LazyConv2d(filters, size, stride, bias=False), *pool, nn.LazyBatchNorm2d(), nn.ReLU()]


def separable(inputs: int, filters: int, *, halve: bool = False) -> Layers:
    """Make a 3 x 3 convolution of each of the `inputs` maps alone, and one of 1 x 1 that mixes them.

    That takes ``inputs * (9 + filters)`` weights, a convolution ``inputs * 9 * filters`` (Chollet 2017, arXiv
    1610.02357).
    """
    return [nn.LazyConv2d(inputs, 3, groups=inputs, bias=False), *convolution(filters, 1, halve=halve)]


def dense(units: int) -> Layers:
    """Make a dense layer, BatchNorm and ReLU."""
    return [nn.LazyLinear(units, bias=False), nn.LazyBatchNorm1d(), nn.ReLU()]


NETWORKS: dict[str, Callable[..., Layers]] = {
    "blog": blog,
    "fast": fast,
    "best": best,
    "tiny": tiny,
    "micro": micro,
    "reader": reader,
}
"""Every network, by its name; one whose name is also a field of `config.Model` is given that field's options."""


class Ensemble(nn.Module):
    """Several networks, each trained as if it were alone; they answer with their mean probability."""

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        """Give each member images of its own while training; else all of them, for the mean probability.

        Of M members, image i is number i modulo M's, so that a slice of the batch has as many images for each; the
        logits ``(M * B, K)`` are in the order of the images.
        """
        if self.training:
            count = len(self.members)
            logits = [member(images[place::count]) for place, member in enumerate(self.members)]
            return torch.stack(logits, dim=1).flatten(0, 1)
        return mean_answer(torch.stack([member(images) for member in self.members]))


def build_network(config: TrainConfig, image_shape: tuple[int, int], classes: int) -> nn.Module:
    """Build the network that the configuration names, or several of them, their first weights drawn from the seed.

    Laid out channels last, and with the pools before the ReLU, a step of the blog's network is 1.4 to 1.7 times as
    fast as with torch's stock layers (two cores, batch 128; benchmarks/step_time.py). Raises UsageError for an
    unknown name, for fields that the network does not have, and for images and batches that are too small for it.
    """
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):  # leaves the caller's randomness as it was
        warnings.filterwarnings("ignore", "Lazy modules are a new feature")
        torch.default_generator.manual_seed(config.seed)
        outputs = classes + 1 if config.images.outliers else classes
        members = [_build_member(config, image_shape, outputs) for _ in range(config.model.members)]
    network = Ensemble(members) if config.model.members > 1 else members[0]
    return network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # a gap in torch


def _build_member(config: TrainConfig, image_shape: tuple[int, int], outputs: int) -> nn.Module:
    """Give the layers their number of inputs, by an empty image that BatchNorm does not count."""
    network = nn.Sequential(
        preparation(config.model.preprocessing), *_layers(config), nn.LazyLinear(outputs)
    ).eval()
    rows, columns = image_shape
    try:
        with torch.no_grad():
            network(torch.zeros(1, 1, rows, columns, dtype=torch.uint8))
    except RuntimeError as fault:
        raise UsageError.mismatch(
            f"--network {config.model.network}",
            expected="larger images",
            found=f"{rows} x {columns} pixels, too few for its layers ({fault})",
            remedy="The network blog takes any size.",
        ) from fault
    if config.optimisation.batch_size == 1 and any(isinstance(layer, nn.BatchNorm1d) for layer in network):
        raise UsageError.mismatch(
            flag("batch_size"),
            expected=f"at least 2 for --network {config.model.network}, whose BatchNorm needs a mean over images",
            found=1,
            remedy="The network blog takes single images.",
        )
    return Views(*network) if config.model.tta > 1 else network


def _layers(config: TrainConfig) -> Layers:
    layers = look_up("network", config.model.network, NETWORKS)
    options = {field.name: field.default for field in fields(config.model) if is_dataclass(field.default)}
    own = options.pop(config.model.network, None)
    for network, defaults in options.items():  # of other networks
        for name, value in vars(defaults).items():
            if config.value(name) != value:
                raise UsageError.mismatch(
                    flag(name),
                    expected=f"--network {network}, whose layers it sets",
                    found=f"--network {config.model.network}, which has no such option",
                    remedy=f"Leave it out, or begin with: digitnet train {network}",
                )
    return layers(getattr(config.model, config.model.network)) if own else layers()


def parameter_count(network: nn.Module) -> int:
    """Count the numbers that training changes, at every step or at some."""
    return sum(parameter.numel() for parameter in network.parameters())
