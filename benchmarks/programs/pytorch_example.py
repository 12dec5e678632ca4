"""PyTorch's own MNIST example: 14 epochs with Adadelta, the images decoded one by one.

Recipe, from pytorch/examples, mnist/main.py at d0b7e37: 3x3 convolutions with 32 and 64 filters and no padding, a
2x2 max pool, dropout of a quarter, 128 dense units, dropout of half; Adadelta at 1.0, times 0.7 after each epoch;
14 epochs of batches of 64. On a CPU its DataLoader has no workers and does not shuffle; here neither.
The example makes each image a PIL picture, then a tensor, then standardises it (torchvision); the same is done
here by hand, because torchvision's build on PyPI does not load with the CPU build of torch.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch._dynamo  # or torch imports it when the first optimizer is made, during the race
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, Dataset

from benchmarks.programs.race import Race, UInt8, flags, read_mnist

EPOCHS, BATCH = 14, 64
MEAN, DEVIATION = 0.1307, 0.3081


class Pictures(Dataset[tuple[Tensor, int]]):
    """Images and labels, one by one, as in torchvision."""

    def __init__(self, images: UInt8, labels: UInt8) -> None:
        self.images, self.labels = torch.from_numpy(images.copy()), torch.from_numpy(labels.copy()).long()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Decode one image: (1, 28, 28) float32, standardised."""
        picture = Image.fromarray(self.images[index].numpy())
        image = torch.from_numpy(np.array(picture, copy=True)).view(28, 28, 1).permute(2, 0, 1).contiguous()
        mean, deviation = torch.as_tensor([MEAN]).view(-1, 1, 1), torch.as_tensor([DEVIATION]).view(-1, 1, 1)
        return image.to(torch.float32).div(255).clone().sub_(mean).div_(deviation), int(self.labels[index])


def build() -> nn.Sequential:
    """Build the network: (B, 1, 28, 28) to log-probabilities (B, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(128, 10), nn.LogSoftmax(dim=1),
    )  # fmt: skip


def batches(loader: DataLoader[tuple[Tensor, int]], schedule: StepLR) -> Iterator[tuple[Tensor, Tensor]]:
    """Go through the epochs, and lower the learning rate after each."""
    for _ in range(EPOCHS):
        yield from loader
        schedule.step()


def main() -> None:
    """Build the network and train it."""
    asked = flags(__doc__).parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(asked.seed)
    images, labels, test, test_labels = read_mnist(asked.data)
    data = Pictures(images, labels)
    standard = (torch.from_numpy(test.copy()).unsqueeze(1) / 255 - MEAN) / DEVIATION  # (10000, 1, 28, 28)
    race = Race(asked, EPOCHS * -(-len(data) // BATCH), standard, test_labels, {"torch": torch.__version__})
    race.start()
    network = build()
    optimizer = torch.optim.Adadelta(network.parameters(), lr=1.0)

    def classify(piece: Tensor) -> Tensor:
        network.eval()
        with torch.no_grad():
            found = network(piece).argmax(dim=1)
        network.train()
        return found

    drawn = batches(DataLoader(data, batch_size=BATCH), StepLR(optimizer, step_size=1, gamma=0.7))
    for step, (batch, target) in zip(race.steps, drawn, strict=False):
        optimizer.zero_grad()
        loss = F.nll_loss(network(batch), target)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has not annotated it
        optimizer.step()
        race.after_step(step, len(target), classify)


if __name__ == "__main__":
    main()
