"""What a person can get wrong about an engine is answered within seconds, by one sentence."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import errands
import pytest

from digitnet.engines.make import ENGINES, make_engine
from digitnet.errors import DigitnetError, UsageError
from processes import run


def test_an_unknown_engine_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        make_engine("proceses")
    assert str(caught.value).startswith("There is no engine 'proceses'. Did you mean 'processes'?")


@pytest.mark.parametrize("what", ["workers", "threads", "tries"])
@pytest.mark.parametrize("number", [0, -1, 1.5, True, "2"])
@pytest.mark.parametrize("name", ENGINES)
def test_a_number_that_is_none_is_refused(name: str, what: str, number: object) -> None:
    with pytest.raises(UsageError, match=f"^{what}: expected a whole number of at least 1, found {number!r}"):
        make_engine(name, **{what: number})  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("dask", "distributed")])
def test_an_engine_that_is_not_installed_names_the_extra(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"{name} is not installed.*pip install .*\[cluster\]'"):
        make_engine(name)


def test_processes_take_no_address() -> None:
    with pytest.raises(UsageError, match=r"takes no address \(10.0.0.1:6379\). Choose ray or dask"):
        make_engine("processes", address="10.0.0.1:6379")


@pytest.mark.parametrize(
    "function", [lambda number: number, partial(lambda one, other: one, 1), (i for i in ()).send]
)
def test_a_function_without_a_name_is_refused_before_anything_starts(function: Callable[[int], object]) -> None:
    with (
        make_engine("processes") as engine,
        pytest.raises(UsageError, match="expected a function that workers can import by its name"),
    ):
        engine.run(function, [1])


@pytest.mark.parametrize("name", ["ray", "dask"])
@pytest.mark.parametrize("address", ["", "nowhere", "host:port", "host:70000", ":6379", "tcp://host"])
def test_what_is_no_address_is_refused(name: str, address: str) -> None:
    with (
        pytest.raises(UsageError, match=r"address: expected HOST:PORT, found "),
        make_engine(name, address=address),
    ):
        pass


@pytest.fixture
def silence() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("name", ["ray", "dask"])
def test_an_address_that_nobody_listens_at_is_a_sentence(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(DigitnetError, match=f"^{address}: .*connection refused"):
        make_engine(name, address=address).__enter__()


@pytest.mark.timeout(110)  # ray.init alone would take 120
@pytest.mark.parametrize("name", ["ray", "dask"])
def test_an_address_that_says_nothing_is_a_sentence_within_seconds(
    name: str, silence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("address", "ray_cluster"):
        monkeypatch.setattr(f"digitnet.engines.{module}.TIMEOUT", 2.0)
    with pytest.raises(DigitnetError, match=rf"^{silence}: expected a running .* cluster, found none"):
        make_engine(name, address=silence).__enter__()


def test_a_script_that_starts_engines_while_it_is_imported_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import math\n"
        "from digitnet.engines.make import make_engine\n"
        "with make_engine('processes', workers=2) as engine:\n"
        "    print(list(engine.run(math.sqrt, [1])))\n"
    )
    done = run(script)
    assert done.returncode == 1
    assert 'A script that uses an engine must do so under: if __name__ == "__main__":' in done.stderr.replace(
        "'", '"'
    )


def test_a_function_that_workers_cannot_import_is_the_error_of_each_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fleeting.py").write_text("def errand(task):\n    return task\n")
    monkeypatch.syspath_prepend(tmp_path)
    import fleeting  # type: ignore[import-not-found]

    (tmp_path / "fleeting.py").unlink()
    with make_engine("processes", workers=1) as engine:
        (outcome,) = engine.run(fleeting.errand, [1])
    assert outcome.error is not None
    assert "No module named 'fleeting'" in outcome.error
    assert "Put the function in a module that the workers can import" in outcome.error


def test_the_callers_environment_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    with make_engine("processes", workers=1, threads=5) as engine:
        assert [outcome.result for outcome in engine.run(errands.threads, [1])] == ["5"]
    assert "OMP_NUM_THREADS" not in os.environ
