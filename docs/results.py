"""Stored results, benchmarks/results/*.json, as the tables and sentences of the documents."""

import json
from pathlib import Path
from statistics import mean, median
from typing import Any

from digitnet.reporting.words import duration

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"


def stored(name: str) -> Any:
    """Read a stored result."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def results_table() -> str:
    """Make a row of each variant of the blog's experiment, below the blog's own figure."""
    rows = [
        "| recipe | test accuracy: mean ± sd (seeds) | 95% interval of the mean | parameters |",
        "|---|---|---|---|",
        "| the blog's own figure | 0.9922 (one run) | | |",
    ]
    result = stored("blog")
    for variant in result["variants"]:
        test, hidden = variant["test"], variant["results"]["fields"]["hidden"]
        low, high = test["interval"]
        recipe = f"`digitnet train blog{f' --hidden {hidden}' if hidden else ''}`"
        rows.append(
            f"| {recipe} | **{test['mean']:.4f} ± {test['sd']:.4f}** ({test['n']}) "
            f"| {low:.4f} to {high:.4f} | {variant['results']['parameters']:,} |"
        )
    (machine,), (versions,) = result["made_with"]["machine"], result["made_with"]["versions"]
    return "\n".join(rows) + (
        "\n\nEach seed is judged once, after its last step, on all 10,000 test images; the interval is Student's "
        f"t over seeds. {machine['processor']}, torch {versions['torch']}. {step_time()}"
    )


def step_time() -> str:
    """Say what a step of the blog's network takes."""
    result = stored("step-time")
    milliseconds = result["milliseconds_a_step"]["digitnet"]
    return (
        f"A step takes {milliseconds:.0f} ms there on {result['threads']} threads "
        f"({result['images_per_second']:,} images a second), so 10,000 steps take about "
        f"{milliseconds * 10 / 60:.1f} minutes; torch's stock layers take "
        f"{result['stock_over_digitnet']:.1f} times as long, measured in turn (`make bench`)."
    )


def seeds_table() -> str:
    """List every seed's accuracy, on validation and on test images, and what can be concluded."""
    rows = ["| recipe | validation accuracy, mean | test accuracy, each seed |", "|---|---|---|"]
    result = stored("blog")
    for variant in result["variants"]:
        each = ", ".join(f"{accuracy:.4f}" for accuracy in variant["results"]["test"])
        rows.append(f"| {variant['results']['name']} | {variant['validation']['mean']:.4f} | {each} |")
    return "\n".join(rows) + f"\n\n{result['pairs'][0]['sentence']}"


def claims_table() -> str:
    """Make a row of each variant of the blog's claims."""
    rows = [
        "| variant | parameters | validation | test accuracy: mean ± sd (seeds) | 95% interval of the mean |",
        "|---|---|---|---|---|",
    ]
    for variant in stored("blog-claims")["variants"]:
        test, (low, high) = variant["test"], variant["test"]["interval"]
        rows.append(
            f"| {variant['results']['name']} | {variant['results']['parameters']:,} "
            f"| {variant['validation']['mean']:.4f} | **{test['mean']:.4f} ± {test['sd']:.4f}** ({test['n']}) "
            f"| {low:.4f} to {high:.4f} |"
        )
    return "\n".join(rows)


def claims_sentences() -> str:
    """List what can be concluded about each pair, and what was chosen."""
    return "\n".join(f"- {sentence}" for sentence in stored("blog-claims")["sentences"])


def trials_table() -> str:
    """Say what running trials costs beside the training itself."""
    result = stored("trials")
    rows = [
        "| workers x threads of each | trials | seconds | trials a minute | share of the time spent training |",
        "|---|---|---|---|---|",
    ]
    many = result.get("many")  # the long form, which takes nine minutes more
    for m in [*result["rounds"], *filter(None, [many])]:
        share = m["training"] / (m["wall"] * m["workers"])
        rate = m["trials"] / m["wall"] * 60
        way = f"{m['workers']} x {m['threads']}"
        rows.append(f"| {way} | {m['trials']} | {m['wall']:.0f} | {rate:.1f} | {share:.1%} |")
    one, two, wide = (_rates(result, *way) for way in ((1, 1), (2, 1), (1, 2)))
    alone, private = result["alone"], mean(m["private_megabytes"] for m in result["rounds"] if m["workers"] > 1)
    return (
        "\n".join(rows)
        + f"""

Trials of {alone["training"]:.0f} seconds (the blog's recipe, {STEPS} steps) on {_machine(result)}, in turn in one
command (`make bench`).

- **Two workers against one**: {_ratios(two, one)} times as many trials. Two bare training loops,
  with nothing around them, do {median(result["ceiling_2_over_1"]):.2f} times what one does: the machine's limit.
- **Two workers on a thread each against one worker on two threads**: {_ratios(two, wide)} times as many.
- **Beside its training**, a trial takes {alone["everything_else"] * 1000:.0f} ms
  ({alone["everything_else"] / alone["training"]:.1%}) for its set-up and its files, and {alone["judging"]:.2f} s
  ({alone["judging"] / alone["training"]:.1%}) to judge 10,000 test images.
{_idle(many)}- **Memory**: a second worker adds {private:.0f} MB, torch's own and the buffers of a step;
  of the data set's 55 MB it adds nothing, because all workers share the pages of the cached files."""
    )


def _idle(many: Any) -> str:
    """Say how much of the time two cores had nothing to do, where that was measured."""
    if many is None:
        return ""
    idle = 1 - many["processor"] / (many["wall"] * many["workers"])
    return (
        f"- **Idle**: over {many['trials']} trials, the two cores had nothing to do for {idle:.1%} of the time.\n"
    )


STEPS = 350  # of a trial in benchmarks/trials.py


def _rates(result: Any, workers: int, threads: int) -> list[float]:
    """Trials a second, in each round with so many workers and threads."""
    rounds = [m for m in result["rounds"] if (m["workers"], m["threads"]) == (workers, threads)]
    return [m["trials"] / m["wall"] for m in rounds]


def _ratios(first: list[float], second: list[float]) -> str:
    return " and ".join(f"{a / b:.2f}" for a, b in zip(first, second, strict=True))


def _machine(result: Any) -> str:
    return f"{result['machine']['processor']}, {result['machine']['cores']} cores"


MACHINES, TRIALS, IMAGES = 100, 10_000, 1_000_000_000
PRICE = 0.04  # dollars for an hour of one core: assumed
RUN_FOLDER = 0.8  # megabytes of the blog's run, without a report
CALL = 0.0039  # seconds that a call costs the caller on Ray, the slowest of three measurements


def cost_table() -> str:
    """Calculate what 10,000 trials and a billion images take on 100 machines."""
    result = stored("trials")
    alone, decoding = result["alone"], result["png_microseconds"] / 1e6
    cores = MACHINES * result["machine"]["cores"]
    beside, network = alone["judging"] + alone["everything_else"], alone["judging"] / 10_000
    needed = {
        f"{TRIALS:,} trials of the blog's 10,000 steps": TRIALS * (alone["training"] * 10_000 / STEPS + beside),
        "a billion images of 28 x 28, from arrays": IMAGES * network,
        "a billion images of 28 x 28, from PNG files": IMAGES * (network + decoding),
    }
    rows = [f"| | {cores} cores | core hours | price |", "|---|---|---|---|"]
    for what, seconds in needed.items():
        hours = seconds / 3600
        rows.append(f"| {what} | {duration(seconds / cores)} | {hours:,.0f} | ${hours * PRICE:,.0f} |")
    return (
        "\n".join(rows)
        + f"""

Calculated for {MACHINES} machines of {result["machine"]["cores"]} cores, not run, from one core's measured times:
{alone["training"] / STEPS * 1000:.0f} ms a step, {beside:.2f} s beside the training of a trial,
{network * 1e6:.0f} µs for the blog's network to read an image, {decoding * 1e6:.0f} µs to decode a PNG of a digit.
It assumes that

- every core is as fast as those measured, has nothing else to do, and costs ${PRICE} an hour;
- the shared disk keeps up: {TRIALS:,} run folders of {RUN_FOLDER} MB are {TRIALS * RUN_FOLDER / 1000:.0f} GB;
- the caller keeps up: it hands out a call in at most {CALL * 1000:.1f} ms (Ray), {TRIALS * CALL:.0f} s in all.
  Images must travel in batches of thousands for the same reason;
- the last trials to end are few: with {TRIALS // cores} trials for each core, they leave it idle for at most one
  part in {TRIALS // cores}."""
    )
