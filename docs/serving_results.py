"""The table of docs/serving.md, from benchmarks/results/serving.json."""

from collections import Counter
from collections.abc import Iterable
from statistics import median
from typing import Any

from docs.results import stored


def machine() -> str:
    """Name the machine of the measurements."""
    found = stored("serving")["throughput"]["machine"]
    return f"{found['processor']}, {found['vectors']}, {found['cores']} cores"


def table() -> str:
    """Tabulate what the service can take beside what it should; medians where there are several rounds."""
    result = stored("serving")
    rows = [
        _throughput(result["throughput"]),
        *_load(result["load"]["rounds"]),
        _slow(result["slow"]),
        _stops(result["stops"]),
        _fuzz(result["fuzz"]),
        _start(result["throughput"]),
        _soak(result["soak"]),
    ]
    return "\n".join(["| what | goal | measured |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])


def _throughput(found: dict[str, Any]) -> tuple[str, str, str]:
    own, plain, litserve = (
        median(found["answers_per_second"][name]) for name in ("digitnet", "plain", "litserve")
    )
    ratios = found["ratios"]
    return (
        f"answers a second to {found['clients']} clients",
        "3 times a plain FastAPI handler",
        f"{own:,.0f}: {ratios['plain']:.1f} times the plain handler ({plain:,.0f}), {ratios['litserve']:.1f} "
        f"times LitServe ({litserve:,.0f})",
    )


def _load(rounds: list[dict[str, Any]]) -> Iterable[tuple[str, str, str]]:
    rated, overload = ([each[name] for each in rounds] for name in ("rated", "overload"))
    dropped = _sum_statuses(rated).total() - _sum_statuses(rated)["200"]
    yield (
        "rated load: half of the most, at random times",
        "99% within 15 ms, none dropped",
        f"{_median(rated, 'asked_per_second'):,.0f} a second: half within {_median(rated, 'p50_ms'):.0f} ms, 99% "
        f"within {_median(rated, 'p99_ms'):.0f} ms, {dropped} dropped",
    )
    statuses = _sum_statuses(overload)
    ratio = median(high["p99_ms"] / low["p99_ms"] for low, high in zip(rated, overload, strict=True))
    yield (
        "4 times the rated load",
        "200, 429 or 503; 99% of the admitted within twice the wait at the rated load; memory bounded",
        f"{statuses['200']:,} times 200, {statuses['503']:,} times 503, "
        f"{statuses.total() - statuses['200'] - statuses['503']} others; 99% of the admitted within "
        f"{_median(overload, 'p99_ms'):.0f} ms, {ratio:.1f} times; {max(each['grown_mb'] for each in rounds):.0f} "
        "MB more",
    )


def _slow(found: dict[str, Any]) -> tuple[str, str, str]:
    beside, without = found["beside_them"]["p99_ms"], found["without_them"]["p99_ms"]
    return (
        f"{found['clients']} slow clients beside the rated load",
        "closed within 10 s; the others wait as before",
        f"closed within {found['longest_connection_seconds']:.1f} s; 99% within {beside:.0f} ms ({without:.0f} ms "
        "without them)",
    )


def _stops(found: dict[str, Any]) -> tuple[str, str, str]:
    accepted = found["answered"] + found["unanswered"]
    return (
        f"SIGTERM under full load, {found['stops']} times",
        "what was accepted is answered; exit code 0 within 10 s",
        f"{found['answered'] - found['lost']:,} answers to {accepted:,} accepted requests arrived; "
        f"{found['stops'] - found['other_exit_codes']} times 0, within {found['longest_stop_seconds']:.1f} s",
    )


def _fuzz(found: dict[str, Any]) -> tuple[str, str, str]:
    raw, generated, memory = Counter(found["raw"]), found["generated"], found["memory_mb"]
    course = " -> ".join(f"{value:.0f}" for value in memory)
    errors = sum(count for status, count in raw.items() if status.startswith("5") and status != "503")
    return (
        f"{raw.total() + generated['requests']:,} fuzzed requests ({generated['requests']:,} by Schemathesis)",
        "no error of the service, no leak, no hang",
        f"{errors + generated['server_errors']} errors; memory {course} MB and "
        f"{found['grown_files']} files more; {raw['hung'] + raw['not connected']} hung",
    )


def _start(found: dict[str, Any]) -> tuple[str, str, str]:
    return (
        "start to first answer; memory at rest",
        "1.5 s; 150 MB",
        f"{found['start_to_first_answer_seconds']:.1f} s; {found['memory_at_rest_mb']:.0f} MB",
    )


def _soak(found: dict[str, Any]) -> tuple[str, str, str]:
    return (
        f"{found['seconds'] / 60:.0f} minutes at the rated load",
        "at most 10 MB more",
        f"{found['grown_mb']:.1f} MB more after {sum(found['statuses'].values()):,} requests",
    )


def _median(rounds: list[dict[str, Any]], name: str) -> float:
    return float(median(each[name] for each in rounds))


def _sum_statuses(rounds: list[dict[str, Any]]) -> Counter[str]:
    return sum((Counter(each["statuses"]) for each in rounds), Counter())
