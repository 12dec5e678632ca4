"""Inference of the blog's network in Keras: the median milliseconds for one image, and for a thousand at once.

The weights don't change the time, so they are Keras' initial ones. The model is called inside a tf.function, as in
Keras' own `predict`, without its loop over batches.
"""

import json
import statistics
import sys
import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers

calls, threads = json.loads(sys.argv[1]), int(sys.argv[2])  # {"1": how often, ...}
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 5, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 5, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
)
answer = tf.function(lambda images: model(images, training=False))
milliseconds = {}
for count, often in calls.items():
    images = tf.constant(np.random.default_rng(0).random((int(count), 28, 28, 1), dtype=np.float32))
    took = []
    for _ in range(3 + often):
        began = time.perf_counter()
        answer(images).numpy()
        took.append(1_000 * (time.perf_counter() - began))
    milliseconds[count] = statistics.median(took[3:])
print(
    json.dumps(
        {"milliseconds": milliseconds, "version": f"keras {keras.__version__} on tensorflow {tf.__version__}"}
    )
)
