"""What a network says about images, by the calibration and the thresholds of a model file."""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from digitnet.data.dataset import Split, UInt8
from digitnet.exporting.export import ExportedNetwork
from digitnet.modelfile import DECISIONS, ModelInfo
from digitnet.reading.network import NOTHING

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

_ACCEPTED = DECISIONS.index("accepted")
_BATCH = 250


class Judge:
    """Judges networks by the calibration and the thresholds in `info`, as a model file of theirs would."""

    def __init__(self, info: ModelInfo) -> None:
        self.info = info

    @torch.inference_mode()
    def answer(self, network: nn.Module, images: UInt8) -> tuple[Floats, Bools]:
        """Return probabilities ``(n, K)``, and which answers are accepted ``(n,)``; modes are left as they are."""
        learning = [module for module in network.modules() if module.training]
        whole = ExportedNetwork(network.eval(), len(self.info.labels), self.info.calibration)
        batches = torch.from_numpy(images.astype(np.float32)).split(_BATCH)  # type: ignore[no-untyped-call]
        answers = [whole(torch.from_numpy(NOTHING[0]), batch)[:2] for batch in batches]
        for module in learning:
            module.training = True
        probabilities, decisions = (torch.cat(parts).numpy() for parts in zip(*answers, strict=True))
        return probabilities, decisions == _ACCEPTED

    def judge(self, network: nn.Module, split: Split) -> tuple[Bools, Floats]:
        """Tell which images are accepted and right ``(n,)``; and the negative log-likelihood of each ``(n,)``."""
        probabilities, is_accepted = self.answer(network, split.images)
        of_label = probabilities[np.arange(len(split)), split.labels]
        return is_accepted & (probabilities.argmax(axis=1) == split.labels), -np.log(np.maximum(of_label, 1e-12))

    def refuses(self, network: nn.Module, images: UInt8) -> Bools:
        """Tell which images ``(n,)`` are not accepted as a digit, whichever."""
        return ~self.answer(network, images)[1]
