"""Progress goes to standard error: nothing, plain lines, or a display that is redrawn."""

import io
import sys
from collections.abc import Callable

import pytest
from rich.table import Table

from digitnet.progress import LiveDisplay, PlainLines, Progress, make_progress


class Terminal(io.StringIO):
    """A terminal, as far as a program can tell."""

    def isatty(self) -> bool:
        return True


def table() -> Table:
    return Table("variant", "wide")


def run(progress: Progress) -> None:
    """Do everything that a command may do with a bar."""
    with progress:
        progress.message("The data are read.")
        progress.begin(1_000, 600, unit="pictures", pause=10)
        progress.advance(640, ", 3 of them could not be read")
        progress.advance(641, ", 4 of them could not be read")


def test_a_pipe_gets_plain_lines_and_none_before_the_pause_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    run(make_progress())
    assert capsys.readouterr() == (
        "",
        "The data are read.\n640 of 1,000 pictures, 3 of them could not be read\n",
    )


def test_a_log_whose_messages_say_enough_gets_no_other_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainLines() as progress:
        progress.begin(10, unit="steps")
        progress.advance(3)
        progress.message("step 3")
    assert capsys.readouterr().err == "step 3\n"


def test_quiet_shows_nothing_even_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    run(make_progress(quiet=True))
    assert terminal.getvalue() == ""


def test_a_terminal_gets_a_bar_with_messages_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    run(make_progress())
    message, _, bar = terminal.getvalue().partition("\n")
    assert message == "The data are read."
    assert "640 of 1,000 pictures, 3 of them could not be read" in bar


def test_a_bar_moves_five_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    now = 100.0
    monkeypatch.setattr("digitnet.progress.time.monotonic", lambda: now)
    seen = []
    with LiveDisplay() as progress:
        progress.begin(100, unit="steps")
        for step in range(100):
            now += 1 / 16
            progress.advance(step)
            seen.append(progress.bar.tasks[0].completed)
    assert len(set(seen)) == 25


@pytest.mark.parametrize(("make", "shown"), [(PlainLines, "2 of 3 done\n"), (Progress, "")])
def test_without_a_terminal_no_table_is_built(
    make: Callable[[], Progress], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with make() as progress:
        progress.show(pytest.fail)  # type: ignore[arg-type]  # what it returns is never asked for
        progress.show(pytest.fail, "2 of 3 done")  # type: ignore[arg-type]
    assert capsys.readouterr().err == shown


def test_a_bar_goes_at_the_end_and_a_table_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    erase_line = "\x1b[2K"
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    run(make_progress())
    assert terminal.getvalue().endswith(erase_line)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with make_progress() as progress:
        progress.show(table, "a line")
    assert "variant" in terminal.getvalue()
    assert "a line" not in terminal.getvalue()
    assert not terminal.getvalue().endswith(erase_line)
