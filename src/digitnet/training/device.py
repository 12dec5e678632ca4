"""Choose a device, and check that it computes the same numbers as the CPU."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from digitnet.config import Device
from digitnet.errors import DeviceError
from digitnet.wording import option


def choose_device(name: Device) -> torch.device:
    """Return the device of that name, "auto" included; raise DeviceError if torch can't use it."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = "cuda" if available["cuda"] else "mps" if available["mps"] else "cpu"
    if not available[name]:
        found = ", ".join(device for device, is_available in available.items() if is_available)
        raise DeviceError.mismatch(
            option("device", name),
            expected=f"a {name.upper()} device that torch {torch.__version__} can use",
            found=f"only {found}",
            remedy=f"Use {option('device', 'auto')} or {option('device', 'cpu')}.",
        )
    return torch.device(name)


def check_device(
    network: nn.Module, images: Tensor, labels: Tensor, device: torch.device, tolerance: float = 1e-3
) -> str:
    """Compare the logits and gradients of one batch on `device` with the CPU's; return a sentence about it.

    `network`, `images` and `labels` are on the CPU and are not changed. Differences are relative to the largest
    value of the CPU's tensor: 1e-3 allows for other orders of summation, while the known errors of accelerators
    are a tenth or more. Raises DeviceError for a difference above `tolerance`.
    """
    if device.type == "cpu":
        return "Computing on the CPU."
    tensor, difference = largest_difference(network, copy.deepcopy(network).to(device), images, labels)
    if not difference <= tolerance:  # also when it is NaN
        raise DeviceError.mismatch(
            f"{device}, {tensor} of one batch",
            expected=f"the CPU's numbers within {tolerance:g} of the largest",
            found=f"a difference of {difference:.2g}",
            remedy=f"Its driver or this build of torch computes wrongly; use {option('device', 'cpu')}.",
        )
    return f"Computing on {device}: its logits and gradients for one batch agree with the CPU's."


def largest_difference(
    reference: nn.Module, candidate: nn.Module, images: Tensor, labels: Tensor
) -> tuple[str, float]:
    """Return the tensor, logits or a gradient, that differs most, and its difference over its largest value."""
    expected, found = (_logits_and_gradients(network, images, labels) for network in (reference, candidate))
    differences = {
        name: float((found[name] - tensor).abs().max() / tensor.abs().max().clamp_min(1e-12))
        for name, tensor in expected.items()
    }
    name = max(differences, key=lambda name: (math.isnan(differences[name]), differences[name]))
    return name, differences[name]


def _logits_and_gradients(network: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Compute logits and gradients on the network's device, and copy them to the CPU.

    TF32 is off: it rounds the inputs of a convolution to 10 bits, which changes the maxima of some pools, so that
    gradients differ by up to a tenth on a device that works correctly.
    """
    network, device = copy.deepcopy(network), next(network.parameters()).device
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        logits = network(images.to(device))
        F.cross_entropy(logits, labels.to(device)).backward()  # type: ignore[no-untyped-call]  # a gap in torch
    gradients = {f"gradient of {n}": p.grad for n, p in network.named_parameters() if p.grad is not None}
    return {name: tensor.detach().cpu() for name, tensor in {"logits": logits, **gradients}.items()}
