"""BatchNorm of a run on several processes.

It normalises by the statistics of the whole batch, not of each rank's slice. Torch's default, a slice's own
statistics, would make the outcome depend on the number of processes; its SyncBatchNorm refuses CPUs.
"""

from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _SumOfRanks(torch.autograd.Function):
    """The sum of every rank's tensor; so what flows back to each is the sum of their gradients."""

    @staticmethod
    def forward(context: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return _sum_of_ranks(gradients[0].contiguous())


class WholeBatchNorm(_BatchNorm):
    """BatchNorm over the slices of all ranks: while training, statistics are those of the whole batch.

    Mean first, then the squares of what is left: two small sums a layer and direction, and no cancellation.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Normalise each channel of ``(B, C, ...)``."""
        if not self.training:
            return super().forward(images)
        axes = [axis for axis in range(images.dim()) if axis != 1]
        shape = [-1 if axis == 1 else 1 for axis in range(images.dim())]
        count = images.numel() // images.shape[1] * dist.get_world_size()
        mean = _sum_of_ranks(images.sum(axes)) / count  # (C,)
        centred = images - mean.view(shape)
        variance = _sum_of_ranks(centred.square().sum(axes)) / count  # (C,)
        self._remember(mean.detach(), variance.detach() * count / max(count - 1, 1))
        normal = centred * torch.rsqrt(variance + self.eps).view(shape)
        return normal * self.weight.view(shape) + self.bias.view(shape) if self.affine else normal

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions is right."""

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, in place, as torch's BatchNorm does."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


def see_whole_batches(network: nn.Module) -> nn.Module:
    """Replace every BatchNorm inside `network`, in place, by one over all ranks that shares its tensors."""
    if isinstance(network, _BatchNorm) and not isinstance(network, WholeBatchNorm):
        norm = WholeBatchNorm(network.num_features, network.eps, network.momentum, affine=network.affine)
        norm.__dict__.update(network.__dict__)  # parameters, buffers, hooks and mode: the very same
        return norm
    for name, child in network.named_children():
        setattr(network, name, see_whole_batches(child))
    return network


def _sum_of_ranks(tensor: Tensor) -> Tensor:
    return cast(Tensor, _SumOfRanks.apply(tensor))  # type: ignore[no-untyped-call]  # a gap in torch
