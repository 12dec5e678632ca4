"""The logits of a network for many images."""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from digitnet.data.dataset import UInt8


@torch.inference_mode()
def predict_logits(
    network: nn.Module, images: UInt8, classes: int | None = None, batch_size: int = 100
) -> npt.NDArray[np.float32]:
    """Logits ``(N, K)`` of all images ``(N, rows, columns)``, in their order; the last batch may be short.

    `classes` keeps the first columns only: it drops the logit of "not a digit" for images that are known to be
    digits.

    A batch of 100 keeps the blog's activations in a core's cache: 10,000 images take 0.7 s on one core, against
    1.1 s in batches of 1,000.
    """
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    logits = [
        network(torch.from_numpy(images[start : start + batch_size]).unsqueeze(1).to(device)).float().cpu().numpy()
        for start in range(0, len(images), batch_size)
    ]
    network.train(was_training)
    return np.concatenate(logits)[:, :classes]
