"""The tutorial: its notebook runs from the first cell to the last, and is stored with what it printed and drew."""

import re
from pathlib import Path

import pytest
from nbformat import NotebookNode

from docs import tutorial

SHORTER = {
    "STEPS = 600": "STEPS = 150",
    "seeds = 5": "seeds = 2",
    "steps = 100\nthreads": "steps = 10\nthreads",
    "steps = 200": "steps = 20",
}


@pytest.fixture
def notebook() -> NotebookNode:
    return tutorial.read()


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(notebook: NotebookNode, name: str) -> str:
    """Return the text that the cell `name` has printed."""
    (cell,) = (cell for cell in notebook.cells if cell.id == name)
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def measured_at_100(text: str) -> list[float]:
    """Return the accuracy and the loss that were printed after 100 steps."""
    (line,) = re.findall(r"step +100 .*", text)
    return [float(number) for number in re.findall(r"\d\.\d{4}", line)]


def test_every_cell_was_executed_once_in_order_and_none_failed_or_warned(notebook: NotebookNode) -> None:
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type in ("stream", "display_data"), cell.id
            assert output.get("name") != "stderr", cell.id


def test_a_cell_that_draws_is_described_and_stored_with_its_figure(notebook: NotebookNode) -> None:
    for cell in code_cells(notebook):
        draws = "show_image(" in cell.source or "plt." in cell.source
        assert draws == ("drawing" in cell.metadata.get("tags", [])), cell.id
        if draws:
            assert cell.source.startswith("# "), cell.id
    drawn = {path.stem for path in tutorial.figures(notebook)}
    tagged = {cell.id for cell in code_cells(notebook) if "drawing" in cell.metadata.get("tags", [])}
    assert tagged == drawn | {"style"}


def test_notebook_and_figures_are_small_and_hold_no_times(notebook: NotebookNode) -> None:
    assert tutorial.NOTEBOOK.stat().st_size < 500_000
    assert all(len(content) < 40_000 for content in tutorial.figures(notebook).values())
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert cell.metadata.keys() <= {"tags", "jupyter"}, cell.id


def test_every_exercise_has_an_answer(notebook: NotebookNode) -> None:
    page = tutorial.make_page(notebook)
    exercises = re.findall(r"^\*\*Exercise (\d+)\.\*\*", page, re.MULTILINE)
    assert exercises == [str(number) for number in range(1, len(exercises) + 1)]
    assert re.findall(r"<details><summary>Exercise (\d+):", page) == exercises


def test_the_page_shows_what_the_notebook_shows(notebook: NotebookNode) -> None:
    page = tutorial.make_page(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert f"```python\n{cell.source}\n```" in page
            assert printed(notebook, cell.id).rstrip() in page
    assert page.count("![") == len(tutorial.figures(notebook))


@pytest.mark.acceptance
@pytest.mark.timeout(900)
def test_the_notebook_runs_with_fewer_steps_and_reads_most_digits(notebook: NotebookNode, tmp_path: Path) -> None:
    for long, short in SHORTER.items():
        assert sum(cell.source.count(long) for cell in code_cells(notebook)) == 1, long
        for cell in code_cells(notebook):
            cell.source = cell.source.replace(long, short)
    stored = tutorial.figures(notebook).keys()
    for cell in code_cells(notebook):
        cell.outputs = []

    tutorial.execute(notebook, tmp_path)

    assert tutorial.figures(notebook).keys() == stored
    assert "417,482" in printed(notebook, "parameters")
    found = re.search(r"accuracy (0\.\d{4}), 95% interval (0\.\d{4}) to (0\.\d{4})", printed(notebook, "test"))
    assert found
    accuracy, low, high = map(float, found.groups())
    assert 0.92 < low < accuracy < high
    by_hand, by_train = (measured_at_100(printed(notebook, name)) for name in ("training", "train-call"))
    assert by_train == pytest.approx(by_hand, abs=0.01)
