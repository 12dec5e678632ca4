"""tinygrad's own example, beautiful_mnist: 70 steps, written in 30 lines.

Recipe, from tinygrad/tinygrad, examples/beautiful_mnist.py at a9069c1: two 5x5 convolutions with 32 filters, two
3x3 ones with 64, no padding, ReLU after each, after each pair batch normalisation and a 2x2 max pool, then a dense
layer; Adam with its defaults; 70 batches of 512 raw images (0 to 255), drawn with replacement; the loss is fetched
at every step. TinyJit compiles the step, without the cache of earlier runs. tinygrad compiles with clang, which it
finds on the PATH and which pip does not install.
"""

import argparse
from importlib.metadata import version

from tinygrad import Context, Tensor, TinyJit, nn

from benchmarks.programs.race import Race, flags, read_mnist

STEPS, BATCH = 70, 512


class Network:
    """The network: (B, 1, 28, 28) to logits (B, 10)."""

    def __init__(self) -> None:
        self.layers = [
            nn.Conv2d(1, 32, 5), Tensor.relu, nn.Conv2d(32, 32, 5), Tensor.relu,
            nn.BatchNorm(32), Tensor.max_pool2d,
            nn.Conv2d(32, 64, 3), Tensor.relu, nn.Conv2d(64, 64, 3), Tensor.relu,
            nn.BatchNorm(64), Tensor.max_pool2d,
            lambda x: x.flatten(1), nn.Linear(576, 10),
        ]  # fmt: skip

    def __call__(self, images: Tensor) -> Tensor:
        """Apply the layers."""
        return images.sequential(self.layers)


def train(asked: argparse.Namespace) -> None:
    """Build the network and train it."""
    images, labels, test, test_labels = read_mnist(asked.data)
    inputs, targets = Tensor(images).reshape(-1, 1, 28, 28).realize(), Tensor(labels).realize()
    race = Race(asked, STEPS, test.reshape(-1, 1, 28, 28), test_labels, {"tinygrad": version("tinygrad")})
    Tensor.manual_seed(asked.seed)
    race.start()
    network = Network()
    optimizer = nn.optim.Adam(nn.state.get_parameters(network))

    @TinyJit
    @Context(TRAINING=1)
    def take_step() -> Tensor:
        optimizer.zero_grad()
        drawn = Tensor.randint(BATCH, high=len(images))
        loss = network(inputs[drawn]).sparse_categorical_crossentropy(targets[drawn]).backward()
        return loss.realize(*optimizer.schedule_step())

    @TinyJit
    def classify(piece: Tensor) -> Tensor:
        return network(piece).argmax(axis=1).realize()

    for step in race.steps:
        take_step().item()
        race.after_step(step, BATCH, lambda piece: classify(Tensor(piece).realize()).numpy())


def main() -> None:
    """Train on the CPU, with the given threads and without a cache."""
    asked = flags(__doc__).parse_args()
    with Context(DEV="CPU", NUM_CPU_THREADS=asked.threads, CACHELEVEL=0):
        train(asked)


if __name__ == "__main__":
    main()
