"""The tutorial: a notebook with its outputs, and the page and figures that are made from it.

    python -m docs.tutorial    # execute the notebook anew, which takes a few minutes; `make tutorial` does both

examples/tutorial.ipynb is the only source; `python -m docs.generate` makes docs/tutorial.md and its figures.
A cell that draws has the tag `drawing` and begins with a comment, which becomes the text of its figure.
"""

import base64
import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from jinja2 import FileSystemLoader
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from nbformat import NotebookNode
from PIL import Image

DOCS = Path(__file__).parent
NOTEBOOK = DOCS.parent / "examples" / "tutorial.ipynb"
FIGURES = DOCS / "figures" / "tutorial"


def read() -> NotebookNode:
    """Read the notebook."""
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-any-return]


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Execute every cell in `folder`, which takes its files; raise CellExecutionError for one that fails.

    On one thread, so that the last digits do not depend on the number of cores.
    """
    client = NotebookClient(
        notebook,
        resources={"metadata": {"path": str(folder)}},
        timeout=1_200,  # seconds for a cell
        record_timing=False,
        coalesce_streams=True,  # what a cell prints is one output
    )
    client.execute(env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(folder)})


def clean(notebook: NotebookNode) -> None:
    """Leave out what changes from run to run and from machine to machine; make the figures small."""
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    for _, output in _drawn(notebook):
        small = _shrink(base64.b64decode(output.data["image/png"]))
        output.data = NotebookNode({"image/png": base64.b64encode(small).decode()})


def make_page(notebook: NotebookNode) -> str:
    """Write the notebook as a page of Markdown, with its outputs; the code of the figures is folded."""
    exporter = MarkdownExporter(extra_loaders=[FileSystemLoader(DOCS)], template_file="tutorial.md.jinja")
    exporter.register_filter("caption", caption)
    exporter.register_filter("moved", _move_links)
    page, _ = exporter.from_notebook_node(notebook)
    page = re.sub(r"(```.*?```)|\n{3,}", lambda found: found[1] or "\n\n", page, flags=re.DOTALL)  # not in code
    return f"{page.strip()}\n"


def figures(notebook: NotebookNode) -> dict[Path, bytes]:
    """Return the figure of each cell that draws one, by its file."""
    return {
        FIGURES / f"{cell.id}.png": base64.b64decode(output.data["image/png"]) for cell, output in _drawn(notebook)
    }


def pages() -> dict[Path, bytes]:
    """Return every file that is made from the notebook, with its content."""
    notebook = read()
    return {DOCS / "tutorial.md": make_page(notebook).encode(), **figures(notebook)}


def caption(source: str) -> str:
    """Return the comment with which a cell begins."""
    return source.partition("\n")[0].removeprefix("#").strip()


def _move_links(text: str) -> str:
    """Change links that are relative to the notebook's folder, so that they are right in docs."""

    def moved(link: re.Match[str]) -> str:
        return f"]({Path(os.path.relpath(NOTEBOOK.parent / link[1], DOCS)).as_posix()})"

    return re.sub(r"\]\((?![a-z]+:|#)([^)]+)\)", moved, text)


def _drawn(notebook: NotebookNode) -> Iterator[tuple[NotebookNode, NotebookNode]]:
    """Yield each cell that has drawn a figure, with the output that holds it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                yield cell, output


def _shrink(png: bytes) -> bytes:
    """Encode a figure in 256 colours, which takes a third of the bytes, and looks the same."""
    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    few = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def main() -> None:
    """Execute the notebook anew and write it."""
    notebook = read()
    with tempfile.TemporaryDirectory() as folder:
        execute(notebook, Path(folder))
    clean(notebook)
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main()
