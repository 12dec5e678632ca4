"""The journal keeps what ended, whatever interrupts its writing."""

from pathlib import Path

import pytest

from digitnet.errors import RunError
from digitnet.trials.journal import Entry, Journal

DONE = Entry("a/seed-0", {"steps": 3}, None)
FAILED = Entry("a/seed-1", None, "The loss became nan.")


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(DONE)
    journal.write(FAILED)
    again = Journal(tmp_path)
    assert again.entries == {DONE.trial: DONE, FAILED.trial: FAILED}
    assert (list(again.done), list(again.failed)) == (["a/seed-0"], ["a/seed-1"])


def test_a_line_cut_off_anywhere_loses_that_line_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(DONE)
    whole = journal.file.read_bytes()
    journal.write(FAILED)
    content = journal.file.read_bytes()
    for end in range(len(whole), len(content)):
        journal.file.write_bytes(content[:end])
        cut = Journal(tmp_path)
        assert cut.entries == {DONE.trial: DONE}
        cut.write(FAILED)
        assert journal.file.read_bytes() == content


def test_a_trial_that_is_run_again_replaces_its_failure(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write(FAILED)
    journal.write(Entry(FAILED.trial, {"steps": 3}, None))
    assert Journal(tmp_path).failed == {}


@pytest.mark.parametrize("line", [b"{}\n", b"7\n", b"nonsense\n", b'{"trial": "a"}\n'])
def test_a_damaged_line_gets_a_sentence(line: bytes, tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(line)
    with pytest.raises(RunError, match="a line is damaged"):
        Journal(tmp_path)
