"""Where to compute, and whether that place computes what the CPU does."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from digitnet.config import Device
from digitnet.errors import DeviceError


def choose_device(name: Device) -> torch.device:
    """Turn the configuration's word into a device; raise DeviceError when it is not there."""
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = "cuda" if present["cuda"] else "mps" if present["mps"] else "cpu"
    if not present[name]:
        found = ", ".join(device for device, there in present.items() if there)
        raise DeviceError.mismatch(
            f"--device {name}",
            expected=f"a {name.upper()} device that torch {torch.__version__} can use",
            found=f"only {found}",
            remedy="Use --device auto or --device cpu.",
        )
    return torch.device(name)


def check_device(
    network: nn.Module, images: Tensor, labels: Tensor, device: torch.device, tolerance: float = 1e-3
) -> str:
    """Compare the logits and gradients of one batch on `device` with the CPU's, and say so in plain words.

    `network`, `images` and `labels` are on the CPU and stay as they are. Differences are relative to the
    largest number of the CPU's tensor: 1e-3 leaves room for other orders of summation, while the known faults of
    accelerators are off by a tenth or more. Raises DeviceError when they differ by more.
    """
    if device.type == "cpu":
        return "Computing on the CPU."
    tensor, difference = largest_difference(network, copy.deepcopy(network).to(device), images, labels)
    if not difference <= tolerance:  # also when it is NaN
        raise DeviceError.mismatch(
            f"{device}, {tensor} of one batch",
            expected=f"the CPU's numbers within {tolerance:g} of the largest",
            found=f"a difference of {difference:.2g}",
            remedy="Its driver or this build of torch computes wrongly; use --device cpu.",
        )
    return f"Computing on {device}: its logits and gradients for one batch agree with the CPU's."


def largest_difference(
    reference: nn.Module, candidate: nn.Module, images: Tensor, labels: Tensor
) -> tuple[str, float]:
    """Name the tensor, logits or gradient, in which two networks differ most, and by what share of its largest."""
    expected, found = (_logits_and_gradients(network, images, labels) for network in (reference, candidate))
    differences = {
        name: float((found[name] - tensor).abs().max() / tensor.abs().max().clamp_min(1e-12))
        for name, tensor in expected.items()
    }
    name = max(differences, key=lambda name: (math.isnan(differences[name]), differences[name]))
    return name, differences[name]


def _logits_and_gradients(network: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Compute where the network is, and bring the answers to the CPU.

    Without TF32, which rounds what goes into a convolution to 10 bits: other pixels then win the pools, and
    gradients differ by up to a tenth on a device that has no fault.
    """
    network, device = copy.deepcopy(network), next(network.parameters()).device
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        logits = network(images.to(device))
        F.cross_entropy(logits, labels.to(device)).backward()  # type: ignore[no-untyped-call]  # a gap in torch
    gradients = {f"gradient of {n}": p.grad for n, p in network.named_parameters() if p.grad is not None}
    return {name: tensor.detach().cpu() for name, tensor in {"logits": logits, **gradients}.items()}
