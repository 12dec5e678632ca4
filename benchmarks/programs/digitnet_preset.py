"""A preset of digitnet: the same loop as ``digitnet train``.

The run folder, its checkpoints and the validation are left out, because no peer has them either;
benchmarks/step_time.py measures what they cost.
"""

import torch
import torch._dynamo  # or torch imports it when the first optimizer is made, during the race
from torch import Tensor

from benchmarks.programs.race import Race, flags
from digitnet import PRESETS, load_dataset
from digitnet.networks.predict import predict_logits
from digitnet.training.memory import keep_freed_memory
from digitnet.training.record import Recorder
from digitnet.training.session import prepare
from digitnet.training.state import TrainState
from digitnet.training.train import fit, torch_settings


class RaceRecorder(Recorder):
    """A recorder that reports each step to the race."""

    def __init__(self, race: Race) -> None:
        self.race = race

    def after_step(self, state: TrainState, loss: Tensor, correct: Tensor, images: int) -> None:
        """Read the loss, as `digitnet train` does at every step; evaluate if that is due."""
        float(loss)
        self.race.after_step(state.step, images, lambda piece: predict_logits(state.network, piece).argmax(axis=1))


def main() -> None:
    """Build the network and train it."""
    parser = flags(__doc__)
    parser.add_argument("--preset", choices=PRESETS, default="blog")
    asked = parser.parse_args()
    preset = PRESETS[asked.preset]
    config = preset.replace(
        seed=asked.seed, steps=min(preset.optimisation.steps, asked.steps or preset.optimisation.steps)
    )
    data = load_dataset(asked.data, validation_images=config.images.validation_images)
    race = Race(asked, preset.optimisation.steps, data.test.images, data.test.labels, {"torch": torch.__version__})
    keep_freed_memory()
    with torch_settings(asked.threads):
        race.start()
        fit(prepare(config, data, recorder=RaceRecorder(race)))


if __name__ == "__main__":
    main()
