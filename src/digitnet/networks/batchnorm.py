"""BatchNorm of a run on several processes: it normalises by the statistics of the whole batch.

Torch's BatchNorm takes the statistics of each rank's shard, so the outcome would depend on the number of
processes. Torch's SyncBatchNorm takes those of the whole batch, but refuses CPUs.
"""

from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _AllReduceSum(torch.autograd.Function):
    """The sum of every rank's tensor; in the backward pass, the sum of every rank's gradient."""

    @staticmethod
    def forward(context: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return _all_reduce_sum(gradients[0].contiguous())


class SynchronisedBatchNorm(_BatchNorm):
    """BatchNorm whose statistics, in training, are those of the whole batch over all ranks.

    The mean is summed first, then the squared deviations from it: two small all-reduces per layer and pass, and no
    cancellation.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Normalise each channel of ``(B, C, ...)``."""
        if not self.training:
            return super().forward(images)
        axes = [axis for axis in range(images.dim()) if axis != 1]
        shape = [-1 if axis == 1 else 1 for axis in range(images.dim())]
        count = images.numel() // images.shape[1] * dist.get_world_size()
        mean = _all_reduce_sum(images.sum(axes)) / count  # (C,)
        centred = images - mean.view(shape)
        variance = _all_reduce_sum(centred.square().sum(axes)) / count  # (C,)
        self._update_running_statistics(mean.detach(), variance.detach() * count / max(count - 1, 1))
        normal = centred * torch.rsqrt(variance + self.eps).view(shape)
        return normal * self.weight.view(shape) + self.bias.view(shape) if self.affine else normal

    def _check_input_dim(self, input: Tensor) -> None:
        """Accept any number of dimensions."""

    def _update_running_statistics(self, mean: Tensor, variance: Tensor) -> None:
        """Update in place, as torch's BatchNorm does."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance, momentum)


def synchronise_batchnorm(network: nn.Module) -> nn.Module:
    """Replace every BatchNorm of `network`, in place, by a synchronised one that shares its tensors."""
    if isinstance(network, _BatchNorm) and not isinstance(network, SynchronisedBatchNorm):
        norm = SynchronisedBatchNorm(network.num_features, network.eps, network.momentum, affine=network.affine)
        norm.__dict__.update(network.__dict__)  # the same parameters, buffers, hooks and mode
        return norm
    for name, child in network.named_children():
        setattr(network, name, synchronise_batchnorm(child))
    return network


def _all_reduce_sum(tensor: Tensor) -> Tensor:
    return cast(Tensor, _AllReduceSum.apply(tensor))  # type: ignore[no-untyped-call]  # a gap in torch
