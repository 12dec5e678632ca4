"""Keras' own example, "Simple MNIST convnet": about 99% after 15 epochs.

Recipe, from keras-team/keras-io, examples/vision/mnist_convnet.py at 02cfe80: 3x3 convolutions with 32 and 64
filters, each with ReLU and a 2x2 max pool, dropout of half, a dense softmax; Adam with its defaults, batches of
128, 15 epochs of the first 54,000 images, and the other 6,000 for validation after each epoch. This validation is
evaluation, so its time does not count. Keras decides by itself whether XLA compiles the step.
"""

import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmarks.programs.race import Race, flags, read_mnist

EPOCHS, BATCH, IMAGES = 15, 128, 54_000
STEPS_AN_EPOCH = -(-IMAGES // BATCH)


class RaceCallback(keras.callbacks.Callback):
    """Reports each step to the race, and subtracts the time of the recipe's own validation."""

    def __init__(self, race: Race) -> None:
        super().__init__()
        self.race, self.step = race, 0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Judge the test images, if it is time."""
        self.step += 1
        images = IMAGES % BATCH if (batch + 1) * BATCH > IMAGES else BATCH
        self.race.after_step(self.step, images, lambda piece: np.argmax(self.model(piece, training=False), axis=1))
        if self.step == self.race.steps[-1]:
            self.model.stop_training = True

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Record when the validation began."""
        self.began = time.perf_counter()

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Subtract the time of the validation."""
        self.race.validating += time.perf_counter() - self.began


def main() -> None:
    """Build the network and fit it."""
    asked = flags(__doc__).parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(asked.threads)
    tf.config.threading.set_inter_op_parallelism_threads(asked.threads)
    keras.utils.set_random_seed(asked.seed)
    images, labels, test, test_labels = read_mnist(asked.data)
    inputs, test_inputs = (x[..., np.newaxis].astype("float32") / 255 for x in (images, test))
    one_hot = keras.utils.to_categorical(labels, 10)
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
    race = Race(asked, EPOCHS * STEPS_AN_EPOCH, test_inputs, test_labels, versions)
    race.start()
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(inputs, one_hot, BATCH, EPOCHS, verbose=0, callbacks=[RaceCallback(race)], validation_split=0.1)


if __name__ == "__main__":
    main()
