"""The journal keeps what ended, whatever interrupts its writing."""

import multiprocessing
from pathlib import Path

import pytest

from digitnet.errors import RunError
from digitnet.trials.journal import Entry, Journal
from processes import run

DONE = Entry("a/seed-0", {"steps": 3})
FAILED = Entry("a/seed-1", error="The loss became nan.")


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
    journal.write(Entry(FAILED.trial, {"steps": 3}))
    assert Journal(tmp_path).failed == {}


@pytest.mark.parametrize("line", [b"{}\n", b"7\n", b"nonsense\n", b'{"trial": "a"}\n'])
def test_a_damaged_line_gets_a_sentence(line: bytes, tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(line)
    with pytest.raises(RunError, match="a line is damaged"):
        Journal(tmp_path)


def test_what_version_0_1_wrote_is_read(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text(
        '{"trial": "a/seed-0", "summary": {"steps": 3}, "fault": null}\n'
        '{"trial": "a/seed-1", "summary": null, "fault": "The loss became nan."}\n'
    )
    assert Journal(tmp_path).entries == {DONE.trial: DONE, FAILED.trial: FAILED}


def test_a_sampled_trial_is_running_until_it_is_done_pruned_or_failed(tmp_path: Path) -> None:
    chosen, rows = {"filters": [2, 4], "learning_rate": 0.1}, {6: 0.5, 12: 0.75}
    for entry, state in [
        (Entry("trial-000", fields=chosen), "running"),
        (Entry("trial-000", fields=chosen, validated=rows), "pruned"),
        (Entry("trial-000", {"steps": 3}, fields=chosen, validated=rows), "done"),
        (Entry("trial-000", error="Lost.", fields=chosen), "failed"),
    ]:
        Journal(tmp_path).write(entry)
        assert Journal(tmp_path).entries == {"trial-000": entry}
        assert entry.state == state


def test_many_processes_write_one_journal_and_lose_no_line(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.map(_write_twenty, [(tmp_path, name) for name in "abc"])
    assert len(Journal(tmp_path).entries) == 60


def _write_twenty(asked: tuple[Path, str]) -> None:
    for number in range(20):
        Journal(asked[0]).write(Entry(f"{asked[1]}/seed-{number}", {"steps": 3}))


def test_a_process_killed_while_it_writes_leaves_nobody_waiting(tmp_path: Path) -> None:
    code = (
        "import os; from filelock import FileLock\n"
        f"FileLock({str(tmp_path / '.journal.lock')!r}).acquire(); os.kill(os.getpid(), 9)"
    )
    run("-c", code)
    Journal(tmp_path).write(DONE)
    assert Journal(tmp_path).entries == {DONE.trial: DONE}
