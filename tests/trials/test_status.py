"""What is seen of trials while they run: the counts, the means and the best, and never the test images."""

import pytest
from rich.console import Console

from digitnet.progress import PlainLines, Progress
from digitnet.trials.journal import Entry
from digitnet.trials.plan import Plan
from digitnet.trials.status import Status

LISTED = Plan.from_toml("seeds = 2\n[grid]\nsteps = [100, 200]")
SAMPLED = Plan.from_toml("trials = 4\n[range]\nlearning_rate = { low = 1e-4, high = 1e-2, log = true }")


def done(trial: str, accuracy: float, rate: float | None = None) -> Entry:
    summary = {"validation": {"accuracy": accuracy}, "test": {"accuracy": 0.1234}}
    return Entry(trial, summary, fields=None if rate is None else {"learning_rate": rate})


def text(status: Status) -> str:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(status.table())
    return captured.get()


def test_variants_are_shown_with_the_means_of_their_seeds() -> None:
    before = [done("steps=100/seed-0", 0.5), Entry("steps=200/seed-0", error="The loss became nan.")]
    status = Status(LISTED, {entry.trial: entry for entry in before}, Progress())
    status.started("steps=100/seed-1")
    assert "1 done, 1 failed, 1 running" in text(status)
    status.ended(done("steps=100/seed-1", 0.6))
    shown = text(status)
    assert "2 of 2      0.5500 ± 0.0707" in shown
    assert "0 of 2" in shown
    assert "2 done, 1 failed, 0 running, about" in shown
    assert "1234" not in shown


def test_samples_are_shown_from_the_best_on(capsys: pytest.CaptureFixture[str]) -> None:
    status = Status(SAMPLED, {}, PlainLines())
    status.ended(done("trial-000", 0.7, 0.001))
    status.ended(done("trial-001", 0.8, 0.0021349))
    status.ended(Entry("trial-002", fields={"learning_rate": 0.01}, validated={86: 0.3, 172: 0.2}))
    shown = text(status)
    assert shown.index("trial-001") < shown.index("trial-000")
    assert "trial-002" not in shown
    assert "2 done, 1 pruned, 0 failed, 0 running, about" in shown
    assert capsys.readouterr().err.splitlines() == [
        "4 trials, 0 of them ended before.",
        "   1 of 4   trial-000   validation 0.7000   learning_rate=0.001   the best so far",
        "   2 of 4   trial-001   validation 0.8000   learning_rate=0.00213   the best so far",
        "   3 of 4   trial-002   pruned at step 172, validation 0.2000   learning_rate=0.01",
    ]
