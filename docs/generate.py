"""Write the generated parts of the documents, or with --check say which of them are out of date.

docs/help.md is what `--help` of every command prints. The tables of results, and the runs with which the report
compares one, are made from benchmarks/results/*.json. Code comes from the examples, and docs/tutorial.md from its
notebook. So none can be out of date.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from inspect import cleandoc
from pathlib import Path
from textwrap import dedent
from types import ModuleType

from digitnet import errors, run_folder
from digitnet.cli.main import COMMANDS
from docs import results, serving_results, tutorial

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


def with_section(text: str, name: str, content: str) -> str:
    """Replace what stands between the markers ``<!-- name -->`` and ``<!-- /name -->``."""
    marked = f"<!-- {name} -->\n{content}\n<!-- /{name} -->"
    replaced, count = re.subn(f"<!-- {name} -->.*?<!-- /{name} -->", lambda _: marked, text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"expected the markers of {name!r} once, found them {count} times")
    return replaced


def recipe_loop() -> str:
    """Copy the training loop from examples/recipe.py."""
    source = (ROOT / "examples" / "recipe.py").read_text(encoding="utf-8")
    loop = source[source.index("def train(") : source.index("@torch.inference_mode()")].rstrip()
    return f"```python\n{loop}\n```"


def drawn_in(module: ModuleType) -> Callable[[], str]:
    """Copy what the docstring of a module draws: its second paragraph."""
    _, drawing, *_ = cleandoc(module.__doc__ or "").split("\n\n")
    return lambda: f"```\n{dedent(drawing)}\n```"


SECTIONS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"results": results.results_summary, "reader": results.reader_summary},
    "docs/results.md": {"results": results.results_table},
    "docs/examples.md": {"loop": recipe_loop},
    "docs/files.md": {"run": drawn_in(run_folder)},
    "docs/python.md": {"errors": drawn_in(errors)},
    "docs/model-card.md": {
        "numbers": results.reader_numbers,
        "goals": results.reader_goals,
        "photographs": results.reader_photographs,
        "sources": results.reader_sources,
        "spread": results.reader_spread,
        "corruptions": results.corruption_errors,
    },
    "docs/benchmarks.md": {
        "peers": results.peers_table,
        "parity": results.blog_parity,
        "step": results.step_time,
        "inference": results.inference,
    },
    "docs/page.md": {"page": results.page_waits},
    "docs/serving.md": {"machine": serving_results.machine, "serving": serving_results.table},
    "docs/adapting.md": {"adapting": results.adapting_table},
    "docs/LOG.md": {"seeds": results.seeds_table},
    "docs/scaling.md": {"trials": results.trials_table, "cost": results.cost_table},
    "docs/blog-claims.md": {
        "answer": results.claims_answer,
        "variants": results.claims_table,
        "sentences": results.claims_sentences,
    },
}
"""What stands between the markers of each page."""

FILES: dict[str, Callable[[], str]] = {
    "docs/help.md": help_page,
    "src/digitnet/reporting/blog_runs.json": results.blog_runs,
}
"""Files that are generated as a whole."""


def main() -> int:
    """Write the documents, or compare them."""
    wanted = {ROOT / path: make().encode() for path, make in FILES.items()} | tutorial.pages()
    for page, sections in SECTIONS.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        for name, make in sections.items():
            text = with_section(text, name, make())
        wanted[ROOT / page] = text.encode()
    stale = [path for path, content in wanted.items() if not path.exists() or path.read_bytes() != content]
    surplus = [path for path in tutorial.FIGURES.glob("*") if path not in wanted]
    if "--check" in sys.argv:
        for path in stale + surplus:
            print(f"{path.relative_to(ROOT)} is out of date. Run: make docs", file=sys.stderr)
        return 1 if stale or surplus else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(wanted[path])
        print(f"wrote {path.relative_to(ROOT)}")
    for path in surplus:
        path.unlink()
        print(f"removed {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
