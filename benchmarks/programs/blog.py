"""The blog's program in TensorFlow 1 style: a graph, a Session, and a feed dictionary at every step.

Recipe: two 5x5 convolutions with 16 and 32 filters and 'same' padding, each with ReLU and a 2x2 max pool, then a
dense layer of 256 units with ReLU, and one of 10; softmax cross-entropy, Adam 0.0005, 10,000 batches of 128;
accuracy and loss on the batch every 100. The blog leaves the hidden layer and the initial weights open. Public
programs of the same exercise agree on 256 units, on weights from a normal distribution of deviation 0.1 cut off at
two deviations, and on biases of 0.1. The rest is as in TensorFlow's tutorial
(tensorflow/examples/tutorials/mnist/mnist_deep.py at 3989ee5: order of layers, one-hot labels) and by its loader
(tensorflow/contrib/learn/python/learn/datasets/mnist.py at 13aeec4: float32 0 to 1, the first 5,000 images held
out, each epoch in its own order, batches that continue into the next epoch).
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from benchmarks.programs.race import Race, flags, read_mnist

STEPS, BATCH = 10_000, 128


def batches(images: np.ndarray, labels: np.ndarray, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches from consecutive epochs, each copied into its own order, as the loader did."""
    random, at = np.random.default_rng(seed), 0
    order = random.permutation(len(images))
    images, labels = images[order], labels[order]
    while True:
        rest, rest_labels = images[at : at + BATCH], labels[at : at + BATCH]
        at += BATCH
        if at > len(images):
            at -= len(images)
            order = random.permutation(len(images))
            images, labels = images[order], labels[order]
            rest = np.concatenate([rest, images[:at]])
            rest_labels = np.concatenate([rest_labels, labels[:at]])
        yield rest, rest_labels


class Graph(NamedTuple):
    """What a Session feeds, runs and fetches."""

    x: tf.Tensor  # images (B, 784), float32 0 to 1
    y: tf.Tensor  # one-hot labels (B, 10)
    logits: tf.Tensor  # (B, 10)
    classes: tf.Tensor  # (B,)
    loss: tf.Tensor
    accuracy: tf.Tensor
    training: tf.Operation  # one step of Adam


def build() -> Graph:
    """Add the network, its loss and its training to the default graph."""
    x, y = tf.placeholder(tf.float32, [None, 784]), tf.placeholder(tf.float32, [None, 10])
    features = convolve(convolve(tf.reshape(x, [-1, 28, 28, 1]), 16), 32)
    hidden = tf.nn.relu(dense(tf.reshape(features, [-1, 7 * 7 * 32]), 256))
    logits = dense(hidden, 10)
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits))
    classes = tf.argmax(logits, 1)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(classes, tf.argmax(y, 1)), tf.float32))
    return Graph(x, y, logits, classes, loss, accuracy, tf.train.AdamOptimizer(0.0005).minimize(loss))


def convolve(x: tf.Tensor, filters: int) -> tf.Tensor:
    """Halve the sides: convolution (B, side, side, filters), ReLU, 2x2 max pool."""
    weights, biases = draw_weights([5, 5, int(x.shape[-1]), filters]), draw_biases(filters)
    x = tf.nn.relu(tf.nn.conv2d(x, weights, strides=[1, 1, 1, 1], padding="SAME") + biases)
    return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


def dense(x: tf.Tensor, units: int) -> tf.Tensor:
    """Multiply by weights and add biases: (B, units)."""
    return tf.matmul(x, draw_weights([int(x.shape[-1]), units])) + draw_biases(units)


def draw_weights(shape: list[int]) -> tf.Variable:
    """Draw initial weights; a value more than two deviations from 0 is drawn again."""
    return tf.Variable(tf.truncated_normal(shape, stddev=0.1))


def draw_biases(count: int) -> tf.Variable:
    """Make slightly positive biases, with which every ReLU begins active."""
    return tf.Variable(tf.constant(0.1, shape=[count]))


def main() -> None:
    """Build the graph and run the steps."""
    asked = flags(__doc__).parse_args()
    images, labels, test, test_labels = read_mnist(asked.data)
    images, test = (np.multiply(x.reshape(-1, 784).astype(np.float32), 1 / 255) for x in (images, test))
    race = Race(asked, STEPS, test, test_labels, {"tensorflow": tf.__version__})
    race.start()

    tf.disable_v2_behavior()
    tf.set_random_seed(asked.seed)
    graph = build()
    threads = tf.ConfigProto(
        intra_op_parallelism_threads=asked.threads, inter_op_parallelism_threads=asked.threads
    )
    kept = batches(images[5_000:], np.eye(10)[labels[5_000:]], asked.seed)
    with tf.Session(config=threads) as session:
        session.run(tf.global_variables_initializer())
        for step, batch in zip(race.steps, kept, strict=False):
            feed = {graph.x: batch[0], graph.y: batch[1]}
            session.run(graph.training, feed)
            if step % 100 == 0:
                print(step, *session.run([graph.accuracy, graph.loss], feed), file=sys.stderr)
            race.after_step(step, BATCH, lambda piece: session.run(graph.classes, {graph.x: piece}))


if __name__ == "__main__":
    main()
