"""What adapting does for digits of another source: scikit-learn's, 8 x 8 pixels that 43 people wrote in Turkey.

    .venv/bin/python -m benchmarks.adapting

For each number of own digits and each seed, draws so many, adapts the model that comes with digitnet to them, and
judges it on all others of that source; so the cross-validation's claim is compared with the truth. The control is
MNIST's validation images, which the model reads already: adapting to them must not be called better. The result is
stored in benchmarks/results/adapting.json as it comes, and a second call goes on where the first one stopped.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from digitnet.adapting.adapt import adapt
from digitnet.data.dataset import Dataset, Split
from digitnet.data.load import load_dataset
from digitnet.files import write_whole
from digitnet.modelfile import DECISIONS
from digitnet.reading.network import SHIPPED, Network
from digitnet.training.environment import describe_machine

COUNTS = 30, 100
SEEDS = 5
RESULT = Path(__file__).parent / "results" / "adapting.json"

_ENLARGED = 64  # pixels: the ink of 8 x 8 must first be large enough to be centred


def main() -> None:
    """Measure, print and store."""
    dataset = load_dataset("mnist")
    sources = {
        "scikit-learn": _load_digits(),
        "mnist": dataset.validation,
    }
    rows: list[dict[str, Any]] = json.loads(RESULT.read_text())["runs"] if RESULT.exists() else []
    done = {(row["source"], row["digits"], row["seed"]) for row in rows}
    for source, split in sources.items():
        for digits in COUNTS:
            for seed in range(SEEDS):
                if (source, digits, seed) in done:
                    continue
                rows.append(
                    {"source": source, "digits": digits, "seed": seed, **_measure(split, digits, seed, dataset)}
                )
                print(json.dumps(rows[-1]), flush=True)
                write_whole(RESULT, json.dumps({"machine": describe_machine(), "runs": rows}, indent=1) + "\n")


def _load_digits() -> Split:
    """Return scikit-learn's digits as the network sees them."""
    digits = load_digits()
    pictures = [cv2.resize(image, (_ENLARGED, _ENLARGED)) for image in (digits.images * 255 / 16).astype(np.uint8)]
    images = Network().answer_crops(np.stack(pictures)[..., None]).images
    return Split(images.round().astype(np.uint8), digits.target.astype(np.uint8))


def _measure(split: Split, count: int, seed: int, dataset: Dataset) -> dict[str, Any]:
    order = np.random.default_rng(seed).permutation(len(split))
    own, others = (Split(split.images[part], split.labels[part]) for part in (order[:count], order[count:]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, (image, label) in enumerate(zip(own.images, own.labels, strict=True)):
            (folder / str(label)).mkdir(exist_ok=True)
            Image.fromarray(image).save(folder / str(label) / f"{index}.png")
        adaptation = adapt(folder, seed=seed, dataset=dataset)
        held_out = {"before": _count_right(SHIPPED, others), "after": _count_right(adaptation.model, others)}
    return {**adaptation.to_json(), "held_out": {"images": len(others), **held_out}}


def _count_right(model: Path, split: Split) -> int:
    answers = Network(model, threads=2).answer_images(split.images.astype(np.float32))
    is_accepted = answers.decisions == DECISIONS.index("accepted")
    return int((is_accepted & (answers.probabilities.argmax(axis=1) == split.labels)).sum())


if __name__ == "__main__":
    main()
