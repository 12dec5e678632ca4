"""Run the program of benchmarks/programs/blog.py for a few steps, from given weights, on given batches.

    python steps_in_tensorflow.py given.npz found.npz

It runs in the environment of that program. `given` holds ``weights_0``, ``weights_1`` ... in the order of the
program's variables, ``images`` (steps, B, 784) and one-hot ``labels`` (steps, B, 10).
"""

import sys
from itertools import islice

import numpy as np
import tensorflow.compat.v1 as tf

from benchmarks.programs import blog


def main() -> None:
    """Write the program's initial weights, what each step computes, and the order of the images in its batches."""
    given = np.load(sys.argv[1])
    tf.disable_v2_behavior()
    tf.set_random_seed(0)
    graph, variables = blog.build(), tf.trainable_variables()
    gradients = tf.gradients(graph.loss, variables)
    feeds = [{graph.x: x, graph.y: y} for x, y in zip(given["images"], given["labels"], strict=True)]
    found = {}

    def keep(name: str, tensors: list[np.ndarray]) -> None:
        found.update({f"{name}_{number}": tensor for number, tensor in enumerate(tensors)})

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        keep("initial", session.run(variables))
        for number, variable in enumerate(variables):
            variable.load(given[f"weights_{number}"], session)
        found["logits"], found["loss"] = session.run([graph.logits, graph.loss], feeds[0])
        keep("gradients", session.run(gradients, feeds[0]))
        for step, feed in enumerate(feeds, 1):
            session.run(graph.training, feed)
            keep(f"step_{step}", session.run(variables))
    positions = np.arange(55_000)
    found["order"] = np.concatenate([images for images, _ in islice(blog.batches(positions, positions, 0), 860)])
    np.savez(sys.argv[2], **found)


if __name__ == "__main__":
    main()
