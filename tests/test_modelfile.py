"""A model file is read whole, or refused with a sentence."""

import re
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.errors import ModelError
from digitnet.modelfile import SCHEME, Calibration, ModelInfo, parse_model, read_model, seal

INFO = ModelInfo(
    labels=tuple("0123456789"),
    calibration=Calibration(temperature=0.9, sure=0.8, digit=-1.5, curve=((1.0, 0.99), (0.9, 1.0))),
    training={"config": "digitnet train fast"},
    weights_sha256="f" * 64,
    digitnet="1.2.3",
)


def test_what_a_file_says_about_itself_comes_back(model: Path) -> None:
    found = read_model(model)
    assert found.content == model.read_bytes()
    assert found.info.labels == tuple("0123456789")
    assert ModelInfo.from_json(found.info.to_json()) == found.info
    assert ModelInfo.from_json(INFO.to_json()) == INFO


def test_its_metadata_is_what_the_onnx_package_reads(model: Path) -> None:
    loaded = onnx.load(model)
    onnx.checker.check_model(loaded)
    metadata = {entry.key: entry.value for entry in loaded.metadata_props}
    assert metadata["digitnet.info"] == read_model(model).info.to_json()
    assert (loaded.producer_name, metadata["digitnet.scheme"]) == ("digitnet", str(SCHEME))


@given(st.data())
def test_any_byte_that_changed_is_noticed(model: Path, data: st.DataObject) -> None:
    content = bytearray(model.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ModelError):
        parse_model(bytes(content), "a.onnx")


@given(st.data())
def test_a_file_that_was_cut_off_is_called_damaged(model: Path, data: st.DataObject) -> None:
    content = model.read_bytes()
    length = data.draw(st.integers(64, len(content) - 1))
    with pytest.raises(ModelError, match="expected a whole model file"):
        parse_model(content[:length], "a.onnx")


@given(st.binary(max_size=2_000))
def test_other_bytes_are_called_foreign(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"a\.onnx: expected a digitnet model file, found something else"):
        parse_model(content, "a.onnx")


def test_another_programs_onnx_file_is_called_foreign(model: Path) -> None:
    other = onnx.load(model)
    del other.metadata_props[:]
    other.producer_name = "another"
    with pytest.raises(ModelError, match="expected a digitnet model file, found something else"):
        parse_model(other.SerializeToString(), "a.onnx")


def edited(model: Path, key: str, value: str) -> bytes:
    """Change an entry of the metadata as a digitnet of that version would have written it."""
    changed = onnx.load(model)
    for entry in changed.metadata_props:
        if entry.key == key:
            entry.value = value
        elif entry.key == "digitnet.sha256":
            entry.value = "0" * 64
    return seal(changed.SerializeToString())


def test_a_newer_scheme_asks_for_a_newer_digitnet(model: Path) -> None:
    with pytest.raises(ModelError, match=f"scheme {SCHEME + 1}, of a newer digitnet.*Install a newer"):
        parse_model(edited(model, "digitnet.scheme", str(SCHEME + 1)), "a.onnx")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"labels": 3}', INFO.to_json().replace("curve", "curfew")])
def test_metadata_that_says_something_else_is_refused(model: Path, text: str) -> None:
    with pytest.raises(ModelError, match="metadata that can't be read"):
        parse_model(edited(model, "digitnet.info", text), "a.onnx")


def test_what_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    for name in ("missing.onnx", ".", "empty.onnx"):
        with pytest.raises(ModelError, match=f"^{re.escape(str(tmp_path / name))}: expected a"):
            read_model(tmp_path / name)


def test_a_file_without_a_place_for_the_hash_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="one place for the hash"):
        seal(replace(INFO).to_json().encode())
