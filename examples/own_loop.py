"""A loop of your own, over digitnet's data, batches and network: change any line and see what happens."""

import sys

import torch.nn.functional as F
from torch.optim import SGD

from digitnet import Batches, load_dataset, preset
from digitnet.metrics import accuracy
from digitnet.networks.models import build_network
from digitnet.networks.predict import predict_logits

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 500

config = preset("blog", filters=[8, 16], kernel_size=3, seed=1)
data = load_dataset("mnist")
network = build_network(config, data.image_shape, data.classes)
optimizer = SGD(network.parameters(), lr=0.1, momentum=0.9)
batches = Batches(data.train, config.optimisation.batch_size, config.seed)

for step in range(steps):
    images, labels = batches.at(step)  # (128, 1, 28, 28) uint8, (128,) int64
    loss = F.cross_entropy(network(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"step {step:>4}   loss {loss.item():.3f}")

logits = predict_logits(network, data.validation.images)  # choose on validation images; the test waits
print(f"{accuracy(logits, data.validation.labels):.4f} of the validation images are read correctly")
