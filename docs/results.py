"""Stored results, benchmarks/results/*.json, as the tables and sentences of the documents."""

import json
import statistics
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from statistics import mean, median
from typing import Any

from benchmarks import parity, peers
from benchmarks.photographs import OUTCOMES
from digitnet.comparing.statistics import compare_pairs, summarise
from digitnet.data.omniglot import HELD_OUT
from digitnet.photographs.kinds import KINDS
from digitnet.presets import PRESETS
from digitnet.reporting.blog_runs import BLOG_ACCURACY, typical_difference
from digitnet.reporting.words import duration
from digitnet.wording import flag

RESULTS = peers.ROOT / "benchmarks" / "results"


def stored(name: str) -> Any:
    """Read a stored result."""
    return json.loads((RESULTS / f"{name}.json").read_text())


_RECIPES = {
    "fast": "fast",
    "best": "best",
    "best-ensemble": "best --members 5",
    "tiny": "tiny",
    "micro": "micro",
    "blog": "blog",
}
"""Results in the order of their rows, and the command of each: a preset, and the flags that its variants share.

NAME-fashion, where it exists, is the same recipe on Fashion-MNIST.
"""


def blog_runs() -> str:
    """Copy the test accuracies of the blog's experiment, of which the report shows one run among them."""
    (variant,) = stored("blog")["variants"]
    found = variant["results"]
    return json.dumps({"seeds": found["seeds"], "accuracies": found["test"]}) + "\n"


def results_summary() -> str:
    """Make a row for each recipe as it is, and say in a sentence how long the default trains."""
    rows = [
        "| recipe | MNIST test accuracy: mean ± sd (seeds) | parameters |",
        "|---|---|---|",
        f"| the blog's own figure | {BLOG_ACCURACY} (one run) | |",
    ]
    for name in ("blog", "fast", "best", "tiny", "micro"):
        first, *_ = stored(name)["variants"]
        parameters = first["results"]["parameters"]
        rows.append(f"| `{_command(name, {})}` | {_spread(first['test'])} | {parameters:,} |")
    result = stored("peers")
    long, short = (mean(run["seconds"] for run in _runs(result, name)) for name in ("blog", "digitnet-fast"))
    return "\n".join(rows) + (
        f"\n\nOn {result['threads']} threads of one machine, `fast` trains for {short:.0f} seconds, "
        f"and the blog's own program, in TensorFlow, for {long:.0f}."
    )


def results_table() -> str:
    """Make a row for each recipe and variant, below the blog's own figure, and add the times of the race."""
    rows = [
        "| recipe | MNIST test accuracy: mean ± sd (seeds) | 95% interval of the mean | Fashion-MNIST "
        "| parameters |",
        "|---|---|---|---|---|",
        f"| the blog's own figure | {BLOG_ACCURACY} (one run) | | | |",
        _tensorflow_row(),
    ]
    for name, recipe in _RECIPES.items():
        has_fashion = (RESULTS / f"{name}-fashion.json").exists()
        fashion = stored(f"{name}-fashion")["variants"] if has_fashion else []
        others = {variant["results"]["name"]: variant["test"] for variant in fashion}
        for variant in stored(name)["variants"]:
            low, high = variant["test"]["interval"]
            other = others.get(variant["results"]["name"])
            rows.append(
                f"| `{_command(recipe, variant['results']['fields'])}` | {_spread(variant['test'])} "
                f"| {low:.4f} to {high:.4f} | {_spread(other) if other else ''} "
                f"| {variant['results']['parameters']:,} |"
            )
    return "\n".join(rows) + (
        "\n\nEach seed is evaluated once, after its last step, on all 10,000 test images; the interval is "
        "Student's t over seeds. No recipe was chosen on test images, nor on Fashion-MNIST. "
        f"{_test_time_augmentation()} {_made_with('fast')}\n\n"
        f"{blog_place()}\n\n"
        f"{race()}"
    )


def _tensorflow_row() -> str:
    """Make the row of the blog's program in TensorFlow."""
    accuracies = [run["test_accuracy"] for run in parity.stored_runs(parity.THEIRS)]
    test = summarise(accuracies)
    assert test.interval is not None
    spread = _spread({"mean": test.mean, "sd": test.sd, "n": test.n})
    return (
        f"| the blog's program in TensorFlow (`python -m benchmarks.parity`) | {spread} "
        f"| {test.interval.low:.4f} to {test.interval.high:.4f} | | 417,482 |"
    )


def blog_place() -> str:
    """Say where the blog's figure lies among the runs of its recipe."""
    ours = parity.our_accuracies(parity.OURS)
    theirs = [run["test_accuracy"] for run in parity.stored_runs(parity.THEIRS)]
    above = [sum(accuracy < BLOG_ACCURACY for accuracy in found) for found in (ours, theirs)]
    return (
        f"Where does the blog's {BLOG_ACCURACY} lie? It is above {above[0]} of {len(ours)} runs of "
        f"`digitnet train blog`, which is the same network with the same first weights ({min(ours):.4f} to "
        f"{max(ours):.4f}), and above {above[1]} of {len(theirs)} runs of the TensorFlow program "
        f"({min(theirs):.4f} to {max(theirs):.4f}). By chance alone, two runs of the recipe differ by "
        f"{100 * typical_difference(ours):.2f} points on average."
    )


def _test_time_augmentation() -> str:
    """Name the recipes that use test-time augmentation, and what that costs."""
    names = [f"`{name}`" for name in _RECIPES if name in PRESETS and PRESETS[name].model.tta > 1]
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return (
        f"{listed} use test-time augmentation (`--tta 5`): each image is evaluated as it is and shifted by a "
        "pixel each way, which takes five times as long."
    )


def _command(recipe: str, fields: dict[str, Any]) -> str:
    """Write the command that trains a variant of a recipe, without fields that equal the preset's."""
    preset = PRESETS[recipe.partition(" ")[0]]
    given = {name: value for name, value in fields.items() if value != getattr(preset, name)}
    return " ".join([f"digitnet train {recipe}", *(f"{flag(name)} {value}" for name, value in given.items())])


def _spread(test: dict[str, Any]) -> str:
    return f"**{test['mean']:.4f} ± {test['sd']:.4f}** ({test['n']})"


def _made_with(name: str) -> str:
    """Name the machine and the version of torch behind a result."""
    made = stored(name)["made_with"]
    (machine,), (versions,) = made["machine"], made["versions"]
    return f"{machine['processor']}, torch {versions['torch']}."


def race() -> str:
    """Say how long the blog's own program trains, and how long `fast` does, with all its steps and with fewer."""
    result = stored("peers")
    blog = _runs(result, "blog")
    long = mean(run["seconds"] for run in blog)
    times, fast = [], []
    for steps in (PRESETS["fast"].optimisation.steps, *peers.FEWER_STEPS):
        runs = _runs(
            result, "digitnet-fast" if steps == PRESETS["fast"].optimisation.steps else f"digitnet-fast-{steps}"
        )
        fast += runs
        short = mean(run["seconds"] for run in runs)
        times.append(f"{steps} steps take {short:.1f} seconds ({_times(runs)}), **1/{long / short:.0f}** of it")
    return (
        f"On {result['threads']} threads of one machine ({_machine(result)}; `make bench`), "
        f"the blog's own program, in TensorFlow{peers.former('blog', blog)}, trains for {long:.0f} seconds "
        f"({_times(blog)}; test accuracy {mean(run['test_accuracy'] for run in blog):.4f}); "
        f"`digitnet train fast`: {'; '.join(times)}.{_apart(blog, fast)}"
    )


def _apart(slow: list[dict[str, Any]], fast: list[dict[str, Any]]) -> str:
    """Say if hours lie between the fast runs and the slow ones: a shared machine's speed changes by the hour."""
    slow_ends, fast_ends = ([datetime.fromisoformat(run["ended"]) for run in runs] for runs in (slow, fast))
    gap = max(min(abs(end - other) for other in slow_ends) for end in fast_ends)
    hours = gap.total_seconds() / 3_600
    return f" They did not run in turn, but {hours:.0f} hours apart." if hours > 1 else ""


def _runs(result: dict[str, Any], program: str) -> list[dict[str, Any]]:
    return [run for run in result["runs"] if run["program"] == program]


def _times(runs: list[dict[str, Any]]) -> str:
    return f"{len(runs)} run{'s' if len(runs) > 1 else ''}"


def peers_table() -> str:
    """Make the table of `make bench` from the stored runs."""
    result = stored("peers")
    rows = [peers.COLUMNS, ["---"] * len(peers.COLUMNS), *peers.table_rows(result)]
    run = {one["program"] for one in result["runs"] if not peers.former(one["program"], [one])}
    left = ", ".join(f"`{name}`" for name in peers.PROGRAMS if name not in run)
    return (
        "\n".join(f"| {' | '.join(row)} |" for row in rows)
        + f"\n\n{_machine(result)}, {result['threads']} threads."
        + (f" Not run here yet: {left}." if left else "")
    )


def blog_parity() -> str:
    """Compare the accuracies of the blog's program in TensorFlow and of digitnet's preset, and list the seeds."""
    runs = parity.stored_runs(parity.THEIRS)
    each = ", ".join(f"{run['test_accuracy']:.4f}" for run in runs)
    made = sorted({f"TensorFlow {run['versions']['tensorflow']}, {run['processor']}" for run in runs})
    return f"{parity.compare_stored()}\n\nEach of TensorFlow's seeds: {each} ({'; '.join(made)})."


def step_time() -> str:
    """Say how long a step of the blog's network takes, and how near that is to the machine's limit."""
    result = stored("step-time")
    milliseconds, rates = result["milliseconds_a_step"], result["gigaflops"]
    return (
        f"On {result['threads']} threads of one machine ({_machine(result)}), a step of the blog's network takes "
        f"{milliseconds['digitnet']:.0f} ms ({result['images_per_second']:,} images a second). Measurements and "
        f"checkpoints make it {result['kept_over_digitnet']:.2f} times as long; torch's stock layers take "
        f"{result['stock_over_digitnet']:.1f} times as long. The step does {rates['digitnet']:.0f} GFLOP/s, which "
        f"is {result['share_of_matrix_product']:.0%} of the {rates['matrix product']:.0f} GFLOP/s of a product of "
        "two matrices of 1,024 x 1,024."
    )


def seeds_table() -> str:
    """List the accuracy of each seed on validation and test images, and the conclusion."""
    rows = ["| recipe | validation accuracy, mean | test accuracy, each seed |", "|---|---|---|"]
    result = stored("blog-first-version")
    for variant in result["variants"]:
        each = ", ".join(f"{accuracy:.4f}" for accuracy in variant["results"]["test"])
        rows.append(f"| {variant['results']['name']} | {variant['validation']['mean']:.4f} | {each} |")
    return "\n".join(rows) + f"\n\n{result['pairs'][0]['sentence']}"


def claims_table() -> str:
    """Make a row for each variant of the blog's claims."""
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


_CLAIMS = {
    ("4,000 steps", "1 layer"): "a second layer",
    ("3 layers", "4,000 steps"): "a third layer",
    ("4,000 steps", "filters of 3 pixels"): "filters of 5 pixels for 3",
    ("filters of 7 pixels", "4,000 steps"): "filters of 7 pixels for 5",
    ("4,000 steps", "1,000 steps"): "4,000 steps for 1,000",
}
"""What is more in the first variant of each pair than in the second."""

_MEASURED = "test", "late_validation"
"""The accuracies of each seed: after the last step, and the mean of the last validations."""


def claims_answer() -> str:
    """Make a row for each part of the blog's sentence: what the test says, and what the late validations say."""
    rows = [
        "| more | test, after the last step | validation, mean of the last five | do both agree? |",
        "|---|---|---|---|",
    ]
    for pair in stored("blog-claims")["pairs"]:
        test, late = (
            _difference(pair[key], p) for key, p in (("difference", pair["p"]), ("late", pair["p_late"]))
        )
        rows.append(_claim(_CLAIMS[pair["first"], pair["second"]], test, late))
    (blog,), (start, *_) = stored("blog")["variants"], stored("blog-claims")["variants"]
    seeds = start["results"]["seeds"]
    long, short = (
        [[one["results"][key][one["results"]["seeds"].index(seed)] for seed in seeds] for key in _MEASURED]
        for one in (blog, start)
    )
    found = [asdict(compare_pairs(first, second)) for first, second in zip(long, short, strict=True)]
    rows.append(_claim("10,000 steps for 4,000", *(_difference(one, one["p_t"]) for one in found)))
    return "\n".join(rows)


def _claim(name: str, test: str, late: str) -> str:
    """Make the row of a part of the sentence."""
    agree = "yes" if test.rpartition(", ")[2] == late.rpartition(", ")[2] else "**no**"
    return f"| {name} | {test} | {late} | {agree} |"


def _difference(found: dict[str, Any], p: float) -> str:
    """Write a mean difference in percentage points, and whether it is told from zero."""
    interval = found["interval"]
    low, high = interval.values() if isinstance(interval, dict) else interval
    verdict = "real" if p < 0.05 else "not told from 0"
    return f"{100 * found['mean']:+.2f} ± {50 * (high - low):.2f}, {verdict}"


def page_waits() -> str:
    """Say what a person waits for on the page."""
    result = stored("page")
    start, paint, wait = (result[name] for name in ("start_seconds", "paint_milliseconds", "answer_milliseconds"))
    machine = result["machine"]
    return (
        f"On an {machine['processor']} with {machine['cores']} cores and no graphics card, medians "
        f"(`python -m benchmarks.page`, {result['rounds']} starts): from Enter to the address "
        f"{start['median']:.1f} seconds; from the address to the first paint {paint['median']:.0f} ms; from a "
        f"movement of the pen to the answer about it {wait['median']:.0f} ms (of {wait['n']}; 95% within "
        f"{wait['p95']:.0f} ms)."
    )


def adapting_table() -> str:
    """Tabulate what adapting does, over its draws."""
    runs = stored("adapting")["runs"]
    rows = [
        "| own digits | drawn from | said to be better | others, before | others, after | change of MNIST's 5,000 "
        "| change of what is no digit, 1,450 to 1,475 |",
        "|---|---|---|---|---|---|---|",
    ]
    for source, name in (("scikit-learn", "scikit-learn's digits"), ("mnist", "MNIST (control)")):
        for digits in sorted({run["digits"] for run in runs}):
            own = [run for run in runs if (run["source"], run["digits"]) == (source, digits)]
            held_out = [run["held_out"] for run in own]
            before, after = ([each[when] / each["images"] for each in held_out] for when in ("before", "after"))
            lost = [
                [run[group]["after"] - run[group]["before"] for run in own]
                for group in ("mnist_validation", "outliers")
            ]
            cells = [str(digits), name, f"{sum(run['is_better'] for run in own)} of {len(own)}"]
            cells += [*map(_mean_and_sd, (before, after)), *map(_mean_and_ends, lost)]
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _mean_and_ends(changes: list[int]) -> str:
    return f"{round(statistics.mean(changes)):+d} ({min(changes):+d} to {max(changes):+d})"


def _mean_and_sd(shares: list[float]) -> str:
    return f"{statistics.mean(shares):.1%} ± {100 * statistics.stdev(shares):.1f}"


def reader_spread() -> str:
    """Make a row for each number that was measured of readers of several seeds."""
    found = stored("reader-spread")
    seeds = len(found["runs"])
    rows = [f"| readers of {seeds} seeds | mean ± sd | the shipped one |", "|---|---|---|"]
    shipped = next(run for run in found["runs"] if run["model_sha256"] == stored("reader")["model_sha256"])
    for name, values in found["summary"].items():
        if name == "threshold":
            rows.append(f"| {name} | {values['mean']:.2f} ± {values['deviation']:.2f} | {shipped[name]:.2f} |")
        else:
            mean, deviation, own = (100 * value for value in (*values.values(), shipped[name]))
            rows.append(f"| {name} | {mean:.2f} ± {deviation:.2f}% | {own:.2f}% |")
    return "\n".join(rows)


def claims_sentences() -> str:
    """List the conclusion about each pair, and the choice made on validation images."""
    return "\n".join(f"- {sentence}" for sentence in stored("blog-claims")["sentences"])


def trials_table() -> str:
    """Say what trials cost besides the training itself."""
    result = stored("trials")
    rows = [
        "| workers x threads each | trials | seconds | trials a minute | fraction of the time spent training |",
        "|---|---|---|---|---|",
    ]
    many = result.get("many")  # the long form, which takes a quarter of an hour more
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

Trials of {alone["training"]:.0f} seconds (the blog's recipe, {STEPS} steps) on {_machine(result)}. They trained
the blog's network in its first version, without the dense layer of 256 and with torch's first weights: today that
is `digitnet train blog --hidden 0 --initial-weights torch`. The rows of 8 trials ran in turn in one command
(`make bench`){"; the 100 ran on another day (`--trials 100`)" if many else ""}.

- **Two workers against one**: {_ratios(two, one)} times as many trials. Two bare training loops
  do {median(result["ceiling_2_over_1"]):.2f} times what one does, which is the machine's limit.
- **Two workers with one thread each against one worker with two threads**: {_ratios(two, wide)} times as many.
- **Besides its training**, a trial takes {alone["everything_else"] * 1000:.0f} ms
  ({alone["everything_else"] / alone["training"]:.1%}) for its set-up and its files,
  and {alone["evaluating"]:.2f} s ({alone["evaluating"] / alone["training"]:.1%}) to evaluate 10,000 test images.
{_idle(many)}- **Memory**: a second worker adds {private:.0f} MB, for torch and the buffers of a step.
  It adds nothing for the data set of 55 MB, because all workers share the pages of the cached files."""
    )


def _idle(many: Any) -> str:
    """Say how long two cores were idle; nothing if that was not measured."""
    if many is None:
        return ""
    idle = 1 - many["processor"] / (many["wall"] * many["workers"])
    each = many["training"] / many["trials"]
    return (
        f"- **Idle**: over {many['trials']} trials, which on another day took {each:.0f} seconds each, the two "
        f"cores were idle for {idle:.1%} of the time.\n"
    )


STEPS = 350  # in a trial of benchmarks/trials.py


def _rates(result: Any, workers: int, threads: int) -> list[float]:
    """Trials a second, for each round with this number of workers and threads."""
    rounds = [m for m in result["rounds"] if (m["workers"], m["threads"]) == (workers, threads)]
    return [m["trials"] / m["wall"] for m in rounds]


def _ratios(first: list[float], second: list[float]) -> str:
    return " and ".join(f"{a / b:.2f}" for a, b in zip(first, second, strict=True))


def _machine(result: Any) -> str:
    return f"{result['machine']['processor']}, {result['machine']['cores']} cores"


MACHINES, TRIALS, IMAGES = 100, 10_000, 1_000_000_000
PRICE = 0.04  # dollars an hour for one core: assumed
RUN_FOLDER = 0.8  # megabytes: a run of the blog, without its report
CALL = 0.0039  # seconds of the caller for one call on Ray: the slowest of three measurements


def cost_table() -> str:
    """Calculate what 10,000 trials and a billion images take on 100 machines."""
    result = stored("trials")
    alone, decoding = result["alone"], result["png_microseconds"] / 1e6
    cores = MACHINES * result["machine"]["cores"]
    besides, network = alone["evaluating"] + alone["everything_else"], alone["evaluating"] / 10_000
    needed = {
        f"{TRIALS:,} trials of the blog's 10,000 steps": TRIALS * (alone["training"] * 10_000 / STEPS + besides),
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

These numbers are calculated, not measured, for {MACHINES} machines of {result["machine"]["cores"]} cores, from the
times of one core with the blog's network in its first version, as above:
{alone["training"] / STEPS * 1000:.0f} ms a step, {besides:.2f} s besides a trial's training,
{network * 1e6:.0f} µs to read an image, and {decoding * 1e6:.0f} µs to decode a PNG of a digit.
It assumes that

- every core is as fast as the measured ones, runs nothing else, and costs ${PRICE} an hour;
- the shared disk keeps up: {TRIALS:,} run folders of {RUN_FOLDER} MB are {TRIALS * RUN_FOLDER / 1000:.0f} GB;
- the caller keeps up: a call costs it at most {CALL * 1000:.1f} ms (Ray), {TRIALS * CALL:.0f} s in all.
  For the same reason, images must be sent in batches of thousands;
- few cores wait at the end: each runs {TRIALS // cores} trials, so it is idle for at most 1/{TRIALS // cores} of
  the time."""
    )


def reader_summary() -> str:
    """Say in a few sentences how well the shipped reader reads other people's digits."""
    digit, other = (_add_up(stored("reader")["ink"][kind]) for kind in ("digit, single", "none, single"))
    return (
        f"Of {digit.total()} photographs, scans and drawings of a single digit by other people, it reads "
        f"{digit['right']} rightly and {digit['wrong']} as another digit; the rest get a `?` or are refused. "
        f"Of {other.total()} pictures of something else, it takes {other['wrong']} for a digit. digitnet was "
        "developed with these pictures, so others will be read less well. The [model card](docs/model-card.md) "
        "has all numbers, by kind of picture, and the goals that were missed."
    )


def reader_goals() -> str:
    """Compare what the shipped reader does with its goals."""
    reader = stored("reader")
    mnist, ink, refusal, speed = reader["mnist"], reader["ink"], reader["refusal"], reader["speed"]
    digit, field = (_add_up(ink[tier]) for tier in ("digit, single", "field, plain"))
    single, plain = (_add_up(ink[f"none, {mode}"]) for mode in ("single", "plain"))
    held_out = sum((Counter(refusal[name]) for name in HELD_OUT), Counter())
    others = {
        "characters of alphabets not trained on": held_out,
        "clothes": Counter(refusal["clothes"]),
        "letters A to J in fonts": Counter(refusal["letters A to J in fonts"]),
    }
    small = reader["digits"]
    rows = [
        (
            "single real digits, `--single`: right and accepted",
            "98%",
            f"{_of(digit['right'], digit.total())}; {digit['unsure']} a `?`, {digit['nothing']} refused, "
            f"{digit['wrong']} read as another digit",
            digit["right"] >= 0.98 * digit.total(),
        ),
        (
            "real pictures of several digits, plain: the whole text right",
            "90%",
            f"{_of(field['right'], field.total())}; {field['wrong']} wrong without a `?`",
            field["right"] >= 0.9 * field.total(),
        ),
        (
            "real pictures of other things, `--single`: not read as a digit",
            "95%",
            _of(single["right"], single.total()),
            single["right"] >= 0.95 * single.total(),
        ),
        (
            "the same, plain",
            "95%",
            _of(plain["right"], plain.total()),
            plain["right"] >= 0.95 * plain.total(),
        ),
        *(
            (
                f"{kind}, `--single`: refused; accepted as a digit",
                "95%; 1%",
                f"{count['refused'] / count.total():.1%}; {_accepted(count) / count.total():.1%} "
                f"of {count.total():,}",
                count["refused"] >= 0.95 * count.total() and _accepted(count) <= 0.01 * count.total(),
            )
            for kind, count in others.items()
        ),
        (
            "scikit-learn's digits enlarged six times, `--single`: top label right; accepted and wrong",
            "98%; 0.3%",
            f"{small['top label right'] / small['pictures']:.1%}; {small.get('wrong', 0) / small['pictures']:.1%} "
            f"of {small['pictures']:,}",
            small["top label right"] >= 0.98 * small["pictures"]
            and small.get("wrong", 0) <= 0.003 * small["pictures"],
        ),
        (
            "MNIST test images: coverage at 99.99% accuracy (in-sample)",
            "97%",
            f"{mnist['coverage_at_99.99']:.2%}",
            mnist["coverage_at_99.99"] >= 0.97,
        ),
        (
            "MNIST test images: expected calibration error, 15 bins",
            "0.1%",
            f"{mnist['calibration_error']:.3%}",
            mnist["calibration_error"] <= 0.001,
        ),
        (
            "MNIST test images under 15 corruptions: mean error",
            "3%",
            f"{reader['corruptions']['mean']:.2%}",
            reader["corruptions"]["mean"] <= 0.03,
        ),
        (
            "`digitnet read one.png`, whole process",
            "500 ms, 150 MB",
            f"{speed['cold_ms']:.0f} ms, {speed['cold_peak_mb']:.0f} MB",
            speed["cold_ms"] <= 500 and speed["cold_peak_mb"] <= 150,
        ),
        (
            "`digitnet read --single` of a JPEG of 12 megapixels, whole process",
            "700 ms, 150 MB",
            f"{speed['photograph_ms']:.0f} ms, {speed['photograph_peak_mb']:.0f} MB",
            speed["photograph_ms"] <= 700 and speed["photograph_peak_mb"] <= 150,
        ),
        (
            "one crop in a warm process; each crop of a batch of 256",
            "0.5 ms; 0.05 ms",
            f"{speed['crop_ms']:.2f} ms; {speed['batch_of_256_ms_each']:.3f} ms",
            speed["crop_ms"] <= 0.5 and speed["batch_of_256_ms_each"] <= 0.05,
        ),
    ]
    table = ["| what | goal | measured | met |", "|---|---|---|---|"]
    table += [f"| {what} | {goal} | {found} | {_met(met)} |" for what, goal, found, met in rows]
    return "\n".join(table) + (
        "\n\nAll numbers are of one network, the shipped reader. "
        f"Its MNIST test accuracy is {mnist['accuracy']:.2%}. "
        f"{reader['machine']['processor']}, one thread; `benchmarks/reader.py` measures all of it."
    )


def _add_up(sources: dict[str, dict[str, int]]) -> Counter[str]:
    """Add up the outcomes of all sources."""
    return sum((Counter(outcomes) for outcomes in sources.values()), Counter())


def _accepted(count: Counter[str]) -> int:
    """Count what was read as some digit."""
    return sum(number for text, number in count.items() if text.isdigit())


def reader_sources() -> str:
    """List what came of the real pictures, by source and by mode."""
    rows = ["| pictures, mode | source | right | `?` | nothing | wrong |", "|---|---|---|---|---|---|"]
    for what, sources in stored("reader")["ink"].items():
        for source, count in sources.items():
            rows.append(f"| {what} | {source} | " + " | ".join(str(count[outcome]) for outcome in OUTCOMES) + " |")
    return "\n".join(rows)


def reader_photographs() -> str:
    """List what came of the made photographs' test half, kind by kind, and in which mode they were read."""
    result = stored("photographs")
    rows = ["| kind | mode | right | `?` | nothing | wrong |", "|---|---|---|---|---|---|"]
    for kind, count in result["kinds"].items():
        mode = "plain" if KINDS[kind].is_line else "`--single`"
        shares = (f"{count[outcome] / result['each']:.0%}" for outcome in OUTCOMES)
        rows.append(f"| {kind} | {mode} | " + " | ".join(shares) + " |")
    return "\n".join(rows)


def reader_numbers() -> str:
    """List the numbers of the shipped reader for its model card."""
    reader = stored("reader")
    info, mnist = reader["info"], reader["mnist"]
    training, calibration = info["training"], info["calibration"]
    rows = [
        ("commands", f"`{training['config']}`, then `digitnet export`"),
        ("parameters", f"{training['parameters']:,}"),
        ("training", f"{training['steps']:,} steps, {duration(training['seconds'])}"),
        ("validation accuracy", f"{training['validation']['accuracy']:.2%} of 5,000 images"),
        ("MNIST test accuracy", f"{mnist['accuracy']:.2%} of 10,000 images"),
        ("accepted test images", f"{mnist['accepted']:.2%}; {mnist['accepted_accuracy']:.3%} of them correct"),
        ("test images refused as no digit", f"{mnist['refused']:.2%}"),
        ("temperature", f"{calibration['temperature']:.4f}"),
        ("confidence threshold of accepted digits", f"{calibration['sure']:.4f}"),
        ("log odds threshold of a digit", f"{calibration['digit']:.3f}"),
        ("SHA-256 of the weights", f"`{info['weights_sha256']}`"),
        ("SHA-256 of the file", f"`{reader['model_sha256']}`"),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def corruption_errors() -> str:
    """List the error under each corruption."""
    errors = stored("reader")["corruptions"]["errors"]
    rows = [f"| {name.replace('_', ' ')} | {error:.2%} |" for name, error in errors.items()]
    return "\n".join(["| corruption | error |", "|---|---|", *rows])


def _of(count: int, total: int) -> str:
    return f"{count / total:.1%} ({count} of {total:,})"


def _met(met: bool) -> str:
    return "yes" if met else "no"


def inference() -> str:
    """Compare the time of an answer in three libraries."""
    found = stored("inference")
    names = {"onnxruntime": "digitnet's model file", "torch": "PyTorch, eager", "keras": "Keras"}
    rows = ["| | one image, ms | 1,000 at once, ms | times the file's | with |", "|---|---|---|---|---|"]
    file = found["milliseconds"]["onnxruntime"]
    for key, name in names.items():
        one, many = (found["milliseconds"][key][count] for count in ("1", "1000"))
        ratios = f"{one / file['1']:.1f}; {many / file['1000']:.1f}"
        rows.append(f"| {name} | {one:.2f} | {many:.0f} | {ratios} | {found['versions'][key]} |")
    return "\n".join(rows) + f"\n\nOne thread, {found['machine']['processor']}."
