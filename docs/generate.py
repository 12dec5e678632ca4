"""Write the generated parts of the documents, or with --check say which of them are out of date.

docs/help.md is what `--help` of every command prints; the tables of results in README.md and docs/LOG.md are made
from benchmarks/results/*.json. So none of them can say what is not so.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from digitnet.cli import COMMANDS

ROOT = Path(__file__).parent.parent


def help_page() -> str:
    """Run every command's --help, 100 columns wide and without colour."""
    parts = ["# Every command and flag\n", "This page is what `--help` prints; `make docs` writes it.\n"]
    for words in [[], *(name.split() for name in COMMANDS)]:
        shown = " ".join(["digitnet", *words, "--help"])
        printed = subprocess.run(
            [sys.executable, "-m", "digitnet", *words, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"},
        ).stdout
        printed = "\n".join(line.rstrip() for line in printed.splitlines())
        parts.append(f"## {' '.join(['digitnet', *words])}\n\n```\n$ {shown}\n{printed}\n```\n")
    return "\n".join(parts)


def stored(name: str) -> Any:
    """Read a stored result."""
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


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


def trials_table() -> str:
    """Say what running trials costs beside the training itself."""
    result = stored("trials")
    rows = [
        "| workers | wall, seconds | training, summed over trials | a worker's time beside training, a trial |",
        "|---|---|---|---|",
    ]
    for workers, seconds in result["seconds"].items():
        beside = seconds["beside"] / result["trials"]
        rows.append(f"| {workers} | {seconds['wall']:.1f} | {seconds['training']:.1f} | {beside:.2f} |")
    return "\n".join(rows) + (
        f"\n\n{result['trials']} trials of 350 steps, {result['machine']['processor']}, two cores shared with "
        f"other work: two workers do {result['throughput_2_over_1']:.2f} times what one does. The time beside "
        "training is the start of the worker (once for each, it imports torch), the 10,000 test images of each "
        "trial, and the files of its run (`make bench`)."
    )


def with_section(text: str, name: str, content: str) -> str:
    """Replace what stands between the markers ``<!-- name -->`` and ``<!-- /name -->``."""
    marked = f"<!-- {name} -->\n{content}\n<!-- /{name} -->"
    replaced, count = re.subn(f"<!-- {name} -->.*?<!-- /{name} -->", lambda _: marked, text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"expected the markers of {name!r} once, found them {count} times")
    return replaced


def main() -> int:
    """Write the documents, or compare them."""
    readme, log, scaling = ROOT / "README.md", ROOT / "docs" / "LOG.md", ROOT / "docs" / "scaling.md"
    wanted = {
        ROOT / "docs" / "help.md": help_page(),
        readme: with_section(readme.read_text(encoding="utf-8"), "results", results_table()),
        log: with_section(log.read_text(encoding="utf-8"), "seeds", seeds_table()),
        scaling: with_section(scaling.read_text(encoding="utf-8"), "trials", trials_table()),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date. Run: make docs", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
