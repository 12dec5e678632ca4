"""Evaluate the reader that comes with digitnet: MNIST, corruptions, real handwriting, refusal, speed.

    .venv/bin/python -m benchmarks.reader             everything: minutes, on an idle machine for the speed
    .venv/bin/python -m benchmarks.reader mnist ink   only these parts; the stored others stay

The parts: mnist, corruptions, ink, refusal, digits, speed. All of them use the shipped file, as a user's pictures
do. They are stored in benchmarks/results/reader.json with that file's hash; numbers of another file are dropped.
The real handwriting is a folder of other people's photographs that is not part of the project; without it, its
part is skipped. None of it was trained on, but the digit finder was developed with all of it in sight.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.console import Console
from sklearn.datasets import load_digits

from benchmarks import corruptions
from benchmarks.photographs import OUTCOMES, judge, photograph
from digitnet import load_dataset, metrics
from digitnet.data.omniglot import HELD_OUT, TRAINING, load_omniglot
from digitnet.files import sha256, write_whole
from digitnet.modelfile import DECISIONS
from digitnet.reading.network import SHIPPED, Network
from digitnet.reading.reader import Reader
from digitnet.reporting.figures import coverage_figure, reliability_figure, save_figure
from digitnet.training.environment import describe_machine

UInt8 = npt.NDArray[np.uint8]

RESULT = Path(__file__).parent / "results" / "reader.json"
FIGURES = Path(__file__).parents[1] / "docs" / "figures"
HANDWRITING = Path(__file__).parents[2] / "shared" / "handwriting"


def mnist(reader: Reader) -> dict[str, Any]:
    """Evaluate all 10,000 test images as they are; the coverage is in-sample, with its threshold from them too."""
    test = load_dataset("mnist").test
    answers = reader.answer(test.images)
    correct = answers.probabilities.argmax(axis=1) == test.labels
    curve = metrics.coverage_curve(answers.probabilities.max(axis=1), correct)
    log_probabilities = np.log(answers.probabilities.clip(1e-30))  # as logits
    accepted = answers.decisions == DECISIONS.index("accepted")
    return {
        "images": len(test),
        "accuracy": float(correct.mean()),
        "calibration_error": metrics.calibration_error(log_probabilities, test.labels),
        "coverage_at_99.99": curve.coverage(0.9999),
        "accepted": float(accepted.mean()),
        "accepted_accuracy": float(correct[accepted].mean()),
        "refused": float((answers.decisions == DECISIONS.index("not a digit")).mean()),
        "reliability": [vars(row) for row in metrics.reliability(log_probabilities, test.labels)],
        "curve": curve.points(100),
    }


def corrupted(reader: Reader) -> dict[str, Any]:
    """Evaluate the test images under the fifteen corruptions."""
    test = load_dataset("mnist").test
    errors = corruptions.measure(reader.predict, test.images, test.labels)
    mean = statistics.mean(errors[corrupt.__name__] for corrupt in corruptions.CORRUPTIONS)
    return {"images": len(test), "errors": errors, "mean": mean}


def ink(reader: Reader) -> dict[str, Any] | None:
    """Read the photographs and scans of other people's handwriting, as one digit each, and as what is found."""
    if not HANDWRITING.is_dir():
        return None
    modes = {"digit": [True], "field": [False], "none": [True, False]}
    return {
        f"{tier}, {'single' if single else 'plain'}": _evaluate_tier(reader, tier, single)
        for tier, several in modes.items()
        for single in several
    }


def _evaluate_tier(reader: Reader, tier: str, single: bool) -> dict[str, Any]:
    """Count the outcomes of a tier, for each source of pictures."""
    sources: dict[str, Counter[str]] = defaultdict(Counter)
    with (HANDWRITING / "answers.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["tier"] == tier:
                text = reader.read(HANDWRITING / row["file"], single=single).text
                kind = "hard" if row["file"].startswith("hard/") else row["source"].partition("@")[0]
                sources[kind][judge(row["answer"], text)] += 1
    return {source: {outcome: count[outcome] for outcome in OUTCOMES} for source, count in sorted(sources.items())}


def refusal(reader: Reader) -> dict[str, Any]:
    """Count refusals of what is no digit, one picture at a time, with --single."""
    return {
        kind: Counter(reader.read(picture, single=True).text[:1] or "refused" for picture in pictures)
        for kind, pictures in list_others(*HELD_OUT, *TRAINING).items()
    }


def list_others(*alphabets: str) -> dict[str, list[UInt8]]:
    """List pictures of what is no digit, dark on light, by kind; the alphabets are by default those held out."""
    characters = load_omniglot().without_digit_shapes()
    return {
        "clothes": [_on_paper(image) for image in load_dataset("fashion-mnist").test.images[5_000:6_000]],
        "letters A to J in fonts": _letters(),
        **{name: [_on_paper(image) for image in characters.of(name).images] for name in alphabets or HELD_OUT},
    }


def _on_paper(image: UInt8) -> UInt8:
    """Turn light ink on 0 into dark ink on paper, with a margin of an eighth."""
    return np.pad(255 - image, len(image) // 8, constant_values=255)


def _letters() -> list[UInt8]:
    """Draw the letters A to J, except I, in the eight Hershey fonts of OpenCV, upper case."""
    pictures = []
    for font in range(8):
        for letter in "ABCDEFGHJ":
            picture = np.full((100, 100), 255, np.uint8)
            cv2.putText(picture, letter, (20, 75), font, 2, 0, 4, cv2.LINE_AA)
            pictures.append(picture)
    return pictures


def digits(reader: Reader) -> dict[str, Any]:
    """Read scikit-learn's 1,797 digits of 8 x 8 pixels, enlarged six times, with --single."""
    data = load_digits()
    found: Counter[str] = Counter()
    for image, label in zip(data.images, data.target, strict=True):
        small = (255 - image * 255 / 16).astype(np.uint8)
        picture = cv2.resize(small, (48, 48), interpolation=cv2.INTER_CUBIC)
        reading = reader.read(picture, single=True)
        found[judge(str(label), reading.text)] += 1
        found["top label right"] += [digit.label for digit in reading.digits] == [str(label)]
    return {"pictures": len(data.target), **found}


def speed(reader: Reader) -> dict[str, Any]:
    """Time a whole process, one crop in a warm one, and a batch: median milliseconds, and peak memory."""
    test = load_dataset("mnist").test.images
    crop = np.pad(255 - cv2.resize(test[0], (80, 80)), 10, constant_values=255)[None, :, :, None]
    batch, network = test[:256], Network()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "one.png"
        Image.fromarray(crop[0, :, :, 0]).save(picture)
        cold = [_run(["-m", "digitnet", "read", str(picture)]) for _ in range(9)]
        large = Path(folder) / "large.jpg"
        pixels = cv2.resize(photograph("careful", "validation", 0).picture, (4_032, 3_024))
        Image.fromarray(pixels).save(large, quality=92)
        cold_large = [_run(["-m", "digitnet", "read", "--single", str(large)]) for _ in range(9)]
    return {
        "cold_ms": 1_000 * statistics.median(seconds for seconds, _ in cold),
        "cold_peak_mb": max(peak for _, peak in cold) / 2**20,
        "photograph_ms": 1_000 * statistics.median(seconds for seconds, _ in cold_large),
        "photograph_peak_mb": max(peak for _, peak in cold_large) / 2**20,
        "crop_ms": _milliseconds(lambda: network.answer_crops(crop)),
        "read_ms": _milliseconds(lambda: reader.read(crop[0, :, :, 0], single=True)),
        "batch_of_256_ms_each": _milliseconds(lambda: reader.predict(batch)) / 256,
    }


def _run(words: list[str]) -> tuple[float, int]:
    """Run Python in a new process; return its seconds and its peak memory in bytes.

    A process inherits the peak of the one that started it, so a small process starts it.
    """
    done = subprocess.run([sys.executable, "-c", _TIMED, *words], capture_output=True, text=True, check=True)
    seconds, peak = done.stdout.split()
    return float(seconds), int(peak) * (1 if sys.platform == "darwin" else 1_024)


_TIMED = """
import resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL, check=True)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _milliseconds(call: Callable[[], object], rounds: int = 200) -> float:
    call()
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return 1_000 * statistics.median(took)


PARTS: dict[str, Callable[[Reader], dict[str, Any] | None]] = {
    "mnist": mnist,
    "corruptions": corrupted,
    "ink": ink,
    "refusal": refusal,
    "digits": digits,
    "speed": speed,
}


def draw(measured: dict[str, Any]) -> None:
    """Draw the two figures of the model card."""
    bins = [metrics.ReliabilityBin(**row) for row in measured["reliability"]]
    save_figure(reliability_figure(bins), FIGURES / "reader-reliability.png")
    save_figure(coverage_figure(measured["curve"]), FIGURES / "reader-coverage.png")


def main() -> None:
    """Measure the requested parts, and store each as soon as it is measured."""
    parser = argparse.ArgumentParser(description="Measure the reader that comes with digitnet.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    asked = parser.parse_args().parts or list(PARTS)
    if unknown := set(asked) - PARTS.keys():
        parser.error(f"there is no part {', '.join(unknown)}; the parts: {', '.join(PARTS)}")
    reader, model = Reader(), sha256(SHIPPED.read_bytes())
    stored = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    kept = stored if stored.get("model_sha256") == model else {}
    kept = {
        **kept,
        "model_sha256": model,
        "info": json.loads(reader.info.to_json()),
        "machine": describe_machine(),
    }
    console = Console()
    for name in asked:
        console.print(f"[bold]{name}[/bold]")
        measured = PARTS[name](reader)
        if measured is None:
            console.print("skipped: its pictures are not here")
            continue
        kept[name] = measured
        write_whole(RESULT, json.dumps(kept, indent=1) + "\n")
        if name == "mnist":
            draw(measured)
        console.print({key: value for key, value in measured.items() if key not in ("curve", "reliability")})


if __name__ == "__main__":
    main()
