"""The blog's program in TensorFlow 1 style: a graph, a Session, and a feed dictionary at every step.

Recipe: two 5x5 convolutions with 16 and 32 filters and 'same' padding, each with a 2x2 max pool and ReLU, softmax
cross-entropy, Adam 0.0005, 10,000 batches of 128; accuracy and loss on the batch every 100. The blog does not say
whether a dense layer comes before the last one: ``--hidden 128`` adds one. What it leaves open is done as in
TensorFlow's tutorial (tensorflow/examples/tutorials/mnist/mnist_deep.py at 3989ee5, order of layers, one-hot
labels) and by its loader (tensorflow/contrib/learn/python/learn/datasets/mnist.py at 13aeec4: float32 0 to 1, the
first 5,000 images held out, each epoch in its own order, batches that continue into the next epoch). Initial
weights are Glorot uniform, which is `get_variable`'s default and was that of `tf.layers`; biases are zero.
"""

import sys
from collections.abc import Iterator

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


def convolve(x: tf.Tensor, filters: int, name: str) -> tf.Tensor:
    """Halve the sides: convolution (B, side, side, filters), ReLU, 2x2 max pool."""
    weights = tf.get_variable(f"{name}_weights", [5, 5, x.shape[-1], filters])
    biases = tf.get_variable(f"{name}_biases", [filters], initializer=tf.zeros_initializer())
    x = tf.nn.relu(tf.nn.conv2d(x, weights, strides=[1, 1, 1, 1], padding="SAME") + biases)
    return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


def dense(x: tf.Tensor, units: int, name: str) -> tf.Tensor:
    """Multiply by weights and add biases: (B, units)."""
    weights = tf.get_variable(f"{name}_weights", [x.shape[-1], units])
    return tf.matmul(x, weights) + tf.get_variable(f"{name}_biases", [units], initializer=tf.zeros_initializer())


def main() -> None:
    """Build the graph and run the steps."""
    parser = flags(__doc__)
    parser.add_argument("--hidden", type=int, default=0, help="units of a dense layer before the last one")
    asked = parser.parse_args()
    images, labels, test, test_labels = read_mnist(asked.data)
    images, test = (np.multiply(x.reshape(-1, 784).astype(np.float32), 1 / 255) for x in (images, test))
    race = Race(asked, STEPS, test, test_labels, {"tensorflow": tf.__version__})
    race.start()

    tf.disable_v2_behavior()
    tf.set_random_seed(asked.seed)
    x, y = tf.placeholder(tf.float32, [None, 784]), tf.placeholder(tf.float32, [None, 10])
    features = convolve(convolve(tf.reshape(x, [-1, 28, 28, 1]), 16, "first"), 32, "second")
    features = tf.reshape(features, [-1, 7 * 7 * 32])
    if asked.hidden:
        features = tf.nn.relu(dense(features, asked.hidden, "hidden"))
    logits = dense(features, 10, "last")
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits))
    training = tf.train.AdamOptimizer(0.0005).minimize(loss)
    classes = tf.argmax(logits, 1)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(classes, tf.argmax(y, 1)), tf.float32))

    threads = tf.ConfigProto(
        intra_op_parallelism_threads=asked.threads, inter_op_parallelism_threads=asked.threads
    )
    kept = batches(images[5_000:], np.eye(10)[labels[5_000:]], asked.seed)
    with tf.Session(config=threads) as session:
        session.run(tf.global_variables_initializer())
        for step, batch in zip(race.steps, kept, strict=False):
            feed = {x: batch[0], y: batch[1]}
            session.run(training, feed)
            if step % 100 == 0:
                print(step, *session.run([accuracy, loss], feed), file=sys.stderr)
            race.after_step(step, BATCH, lambda piece: session.run(classes, {x: piece}))


if __name__ == "__main__":
    main()
