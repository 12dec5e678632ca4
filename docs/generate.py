"""Write the generated parts of the documents, or with --check say which of them are out of date.

docs/help.md is what `--help` of every command prints; the README's table of results is made from
benchmarks/results/*.json. So neither can say what is not so.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

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


def results_table() -> str:
    """Make a row of each stored result, with the blog's own figure above them."""
    rows = [
        "| network | test accuracy: mean ± sd (n seeds) | 95% interval of the mean | seconds a run | parameters |",
        "|---|---|---|---|---|",
        "| the blog's own figure | 0.9922 (one run) | - | - | - |",
    ]
    for file in sorted((ROOT / "benchmarks" / "results").glob("blog*.json")):
        result = json.loads(file.read_text())
        low, high = result["interval_95_of_mean"]
        seconds = sorted(result["seconds"])[len(result["seconds"]) // 2]
        rows.append(
            f"| `{result['command']}` | **{result['mean']:.4f} ± {result['sd']:.4f}** ({result['n']}) "
            f"| {low:.4f} to {high:.4f} | {seconds:.0f} | {result['parameters']:,} |"
        )
    machine = result["machine"]
    rows += [
        "",
        "Seeds 0 to n - 1, each judged once, after its last step, on all 10,000 test images. "
        f"{machine['processor']}, {result['threads']} threads, torch {result['versions']['torch']}.",
    ]
    return "\n".join(rows)


def with_section(text: str, name: str, content: str) -> str:
    """Replace what stands between the markers ``<!-- name -->`` and ``<!-- /name -->``."""
    marked = f"<!-- {name} -->\n{content}\n<!-- /{name} -->"
    replaced, count = re.subn(f"<!-- {name} -->.*?<!-- /{name} -->", lambda _: marked, text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"expected the markers of {name!r} once, found them {count} times")
    return replaced


def main() -> int:
    """Write the documents, or compare them."""
    readme = ROOT / "README.md"
    wanted = {
        ROOT / "docs" / "help.md": help_page(),
        readme: with_section(readme.read_text(encoding="utf-8"), "results", results_table()),
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
