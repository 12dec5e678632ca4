"""The service answers as the reader does, and refuses in a sentence."""

import io
import json
import os
import signal
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw
from servers import Server, serving, to_crop

from conftest import SHORT
from digitnet.data import idx
from digitnet.data.load import load_dataset
from digitnet.reading.network import Network
from digitnet.reading.reader import Reader
from digitnet.serving.guard import LARGEST
from digitnet.serving.page_api.own_digits import OwnDigits
from digitnet.serving.shelf import BLOG
from digitnet.training.train import train
from processes import DIGITNET, end, wait_until
from processes import run as run_python


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running_server:
        yield running_server


def seven(rows: int = 90, columns: int = 60) -> npt.NDArray[np.uint8]:
    """Draw the ink of a 7: ``(rows, columns)``, 255 for ink."""
    crop = np.zeros((rows, columns), np.uint8)
    cv2.polylines(crop, [np.array([[8, 10], [50, 10], [25, 80]])], False, 255, 8, cv2.LINE_AA)
    return crop


def page_of(text: str) -> bytes:
    """Write digits on white paper, as a PNG file."""
    picture = Image.new("L", (80 * len(text) + 40, 140), 255)
    ImageDraw.Draw(picture).text((30, 10), text, fill=0, font_size=110)
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize("model", ["reader", "blog"])
def test_the_answer_about_a_crop_is_that_of_the_model_file(server: Server, model: str) -> None:
    (found,) = server.ask_json("POST", f"/api/models/{model}/answers", {"crops": [to_crop(seven())]})
    own = Network(BLOG if model == "blog" else None).answer_crops(seven()[None, :, :, None])
    assert found["probabilities"] == pytest.approx(own.probabilities[0], abs=1e-6)
    assert found["score"] == pytest.approx(own.scores[0], abs=1e-5)
    assert found["layers"] == []


def test_raw_images_reach_the_network_as_they_are(server: Server) -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    question = {"crops": [to_crop(image)], "raw": True}
    (found,) = server.ask_json("POST", "/api/models/blog/answers", question)
    own = Network(BLOG).answer_images(image[None].astype(np.float32))
    assert found["probabilities"] == pytest.approx(own.probabilities[0], abs=1e-6)


def test_a_picture_is_read_as_the_reader_reads_it(server: Server) -> None:
    status, _, content = server.ask("POST", "/v1/read", page_of("472"))
    assert status == 200
    assert json.loads(content) == Reader().read(page_of("472")).to_json()


def test_the_pages_of_a_document_are_read_one_at_a_time(server: Server) -> None:
    document = io.BytesIO()
    pages = [Image.open(io.BytesIO(page_of(text))) for text in ("472", "36")]
    pages[0].save(document, "PDF", save_all=True, append_images=pages[1:])
    for number, text in enumerate(("472", "36"), start=1):
        status, _, content = server.ask("POST", f"/v1/read?page={number}", document.getvalue())
        answer = json.loads(content)
        assert (status, answer["text"], answer["pages"]) == (200, text, 2)
    status, _, content = server.ask("POST", "/v1/read?page=3", document.getvalue())
    assert (status, json.loads(content)["error"]) == (
        400,
        "The bytes: expected at least 3 pages, found 2. Name another page.",
    )


def test_what_is_expected_of_a_picture_is_heeded(server: Server) -> None:
    status, _, content = server.ask("POST", "/v1/read?expect=[89]{3}", page_of("472"))
    assert status == 200
    assert "?" in json.loads(content)["text"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("POST", "/v1/read", b"not a picture", 400, "expected a PNG"),
        ("POST", "/v1/read", b"", 400, "expected a PNG"),
        ("POST", "/v1/read?digits=0", page_of("1"), 400, "at least 1"),
        ("POST", "/v1/read?digits=many", page_of("1"), 422, "digits"),
        ("POST", "/v1/read?model=raeder", page_of("1"), 404, "reader"),
        ("GET", "/api/models/blgo", None, 404, "blog"),
        ("GET", "/page/nothing.js", None, 404, "nothing.js"),
        ("GET", "/nothing", None, 404, "Not Found"),
        ("DELETE", "/v1/read", None, 405, "Method"),
        ("POST", "/v1/read?expect=a{99999999999}", page_of("1"), 400, "regular expression"),
        ("POST", "/v1/read?expect=" + 2_000 * "(" + 2_000 * ")", page_of("1"), 400, "regular expression"),
        ("POST", "/api/models/blog/answers", b'{"crops": 7}', 422, "crops"),
        (
            "POST",
            "/api/models/blog/answers",
            b'{"crops": [{"rows": 9, "columns": 9, "pixels": "AAAA"}]}',
            422,
            "81 pixels, found 3",
        ),
        ("POST", "/v1/read", b"0" * (LARGEST + 1), 413, "at most 10 MB"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_a_sentence(
    server: Server, method: str, path: str, body: bytes | None, status: int, told: str
) -> None:
    found, _, content = server.ask(method, path, body, {"Content-Type": "application/json"})
    assert found == status, content
    sentence = json.loads(content)["error"]
    assert told in sentence
    assert sentence.endswith((".", "?", "}"))
    assert "Traceback" not in sentence


def test_a_body_without_a_stated_length_is_cut_off_at_the_limit(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"100000\r\n" + b"0" * 2**20 + b"\r\n"
        try:
            for _ in range(12):
                connection.sendall(chunk)
            connection.sendall(b"0\r\n\r\n")
        except OSError:
            pass  # it has stopped listening
        assert b" 413 " in connection.recv(200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:8000"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
    ],
)
def test_pages_of_other_sites_get_no_answer(server: Server, headers: dict[str, str], status: int) -> None:
    headers = {"Content-Type": "application/json", **headers}
    question = json.dumps({"crops": [to_crop(seven())]}).encode()
    assert server.ask("POST", "/api/models/blog/answers", question, headers)[0] == status


def test_a_link_on_another_page_opens_the_page(server: Server) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    status, found, content = server.ask("GET", "/", None, headers)
    assert status == 200
    assert b"<!doctype html>" in content
    assert "default-src 'none'" in found["content-security-policy"]
    assert found["x-content-type-options"] == "nosniff"


def test_the_page_needs_no_torch_and_its_named_model_comes_first(model: Path) -> None:
    with serving(model) as running_server:
        assert running_server.ask_json("GET", "/api/models/")[0] == model.stem
        described = running_server.ask_json("GET", f"/api/models/{model.stem}")
        assert described["layers"][0]["kind"] in ("image", "deskew")
        maps = Path(f"/proc/{running_server.process.pid}/maps")
        if maps.exists():
            assert "libtorch" not in maps.read_text()


def test_the_models_of_runs_at_hand_can_be_chosen(model: Path, tmp_path: Path) -> None:
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "model.onnx").write_bytes(model.read_bytes())
    with serving(cwd=tmp_path) as running_server:
        assert running_server.ask_json("GET", "/api/models/") == ["blog", "reader", "mine"]
        assert running_server.ask_json("GET", "/api/models/mine")["layers"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_exit_code_0_when_it_is_asked_to_stop(number: signal.Signals) -> None:
    with serving() as running_server:
        assert running_server.ask("GET", "/")[0] == 200
        running_server.process.send_signal(number)
        end(running_server.process)
        assert running_server.process.returncode == 0


def test_a_port_in_use_is_said_in_a_sentence(server: Server) -> None:
    done = run_python(*DIGITNET, "serve", "--no-browser", "--port", server.port)
    assert done.returncode == 2
    assert f"--port {server.port}: expected a free port" in done.stderr


def test_a_model_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(b"something")
    for name, told in (("other.onnx", "expected a digitnet model file"), (".", "digitnet export")):
        done = run_python(*DIGITNET, "serve", tmp_path / name, "--no-browser", "--port", 0)
        assert done.returncode == 1
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_what_a_person_names_is_kept_in_a_folder_that_training_opens(tmp_path: Path) -> None:
    with serving("--own", tmp_path / "mine") as own_server:
        names = []
        for number in range(21):
            label = "147"[number % 3]
            lesson = {"crop": to_crop(seven(columns=60 + number)), "label": label}
            kept = own_server.ask_json("POST", "/api/own", lesson)
            names.append((label, kept["name"]))
        assert kept["counts"] == {"1": 7, "4": 7, "7": 7}
        assert kept["folder"] == str(tmp_path / "mine")
        own_server.ask_json("DELETE", "/api/own/{}/{}".format(*names[-1]))
        assert own_server.ask_json("GET", "/api/own")["counts"] == {"1": 7, "4": 7, "7": 6}
        for format in ("npz", "csv", "idx"):
            status, headers, content = own_server.ask("GET", f"/api/own/digits.{format}")
            assert status == 200
            assert "attachment" in headers["content-disposition"]
            (tmp_path / f"digits.{format}").write_bytes(content)
    dataset = load_dataset(tmp_path / "mine", validation_images=3)
    assert dataset.label_names == ("1", "4", "7")
    own = Network().answer_crops(seven(columns=60)[None, :, :, None]).images[0].round()
    assert any((image == own).all() for image in dataset.train.images) or any(
        (image == own).all() for image in [*dataset.validation.images, *dataset.test.images]
    )
    with np.load(tmp_path / "digits.npz") as arrays:
        assert arrays["x_train"].shape == (20, 28, 28)
        assert sorted(arrays["y_train"]) == sorted([1] * 7 + [4] * 7 + [7] * 6)
        first = arrays["x_train"][0]
    table = (tmp_path / "digits.csv").read_text().splitlines()
    assert len(table) == 21
    assert table[1].split(",")[1:] == [str(pixel) for pixel in first.ravel()]
    with zipfile.ZipFile(tmp_path / "digits.idx") as archive:
        images = idx.parse(archive.read("train-images-idx3-ubyte"), idx.IMAGES, "images")
        np.testing.assert_array_equal(images[0], first)


@pytest.mark.parametrize(
    ("method", "path", "question", "status"),
    [
        ("POST", "/api/own", {"crop": to_crop(seven()), "label": "../7"}, 400),
        ("POST", "/api/own", {"crop": to_crop(seven()), "label": "10"}, 400),
        ("POST", "/api/own", {"label": "7"}, 422),
        ("DELETE", "/api/own/7/..%2F..%2Fsecret", None, 404),
        ("DELETE", "/api/own/7/secret", None, 400),
        ("GET", "/api/own/digits.npz", None, 400),
        ("GET", "/api/own/digits.exe", None, 422),
    ],
)
def test_a_lesson_that_makes_no_sense_is_refused_and_leaves_nothing(
    tmp_path: Path, method: str, path: str, question: object, status: int
) -> None:
    with serving(cwd=tmp_path) as own_server:
        body = None if question is None else json.dumps(question).encode()
        assert own_server.ask(method, path, body, {"Content-Type": "application/json"})[0] == status
    assert list(tmp_path.iterdir()) == []


def test_without_mnist_in_the_cache_the_mistakes_are_refused_and_nothing_is_fetched(tmp_path: Path) -> None:
    with serving(env={**os.environ, "DIGITNET_CACHE": str(tmp_path)}) as bare_server:
        status, _, content = bare_server.ask("GET", "/api/models/blog/mistakes")
        assert status == 400
        assert "digitnet data fetch mnist" in json.loads(content)["error"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.acceptance
def test_a_run_that_was_not_exported_is_exported_first(drawn_file: Path, tmp_path: Path) -> None:
    run = train(SHORT.replace(steps=10, data=str(drawn_file)), out=tmp_path / "mine")
    with serving(run.path) as run_server:
        assert run_server.ask_json("GET", "/api/models/")[0] == "mine"
    assert (run.path / "model.onnx").exists()


def test_a_picture_in_the_folder_that_is_no_kept_digit_is_named(tmp_path: Path) -> None:
    with serving("--own", tmp_path / "mine") as own_server:
        own_server.ask_json("POST", "/api/own", {"crop": to_crop(seven()), "label": "7"})
        Image.new("L", (50, 40)).save(tmp_path / "mine" / "7" / "photo.png")
        status, _, content = own_server.ask("GET", "/api/own/digits.npz")
        assert status == 400
        assert "photo.png" in json.loads(content)["error"]


def test_a_run_called_as_one_of_digitnets_own_models_does_not_replace_it(model: Path, tmp_path: Path) -> None:
    for name in ("reader", "blog"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "model.onnx").write_bytes(model.read_bytes())
    with serving(tmp_path / "runs" / "reader", cwd=tmp_path) as own_server:
        assert own_server.ask_json("GET", "/api/models/") == ["reader-2", "blog", "reader"]
        own = own_server.ask_json("GET", "/api/models/reader")
        assert [layer["shape"] for layer in own["layers"]] == [layer["shape"] for layer in Network().layers]


def keep(folder: Path, count: int) -> None:
    """Keep sevens of different widths, as the page does."""
    own = OwnDigits(folder)
    for number in range(count):
        own.keep(
            Network().answer_crops(seven(columns=50 + number)[None, :, :, None]).images[0].astype(np.uint8), "7"
        )


def wait_for_adaptation(server: Server) -> dict[str, Any]:
    wait_until(lambda: server.ask_json("GET", "/api/adaptation")["state"] != "running", server.process)
    return dict(server.ask_json("GET", "/api/adaptation"))


def test_too_few_digits_to_adapt_to_are_said(tmp_path: Path) -> None:
    keep(tmp_path / "mine", 3)
    with serving("--own", tmp_path / "mine") as own_server:
        assert own_server.ask_json("GET", "/api/adaptation") == {"state": "idle"}
        own_server.ask_json("POST", "/api/adaptation", {"model": "reader"})
        found = wait_for_adaptation(own_server)
        assert found["state"] == "failed"
        assert "at least 10 digits" in found["error"]
        assert own_server.ask_json("GET", "/api/models/") == ["blog", "reader"]


def test_what_the_program_says_is_told_in_any_language(tmp_path: Path) -> None:
    keep(tmp_path / "meine_ü", 3)
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    with serving("--own", tmp_path / "meine_ü", env=latin) as own_server:
        own_server.ask_json("POST", "/api/adaptation", {"model": "reader"})
        assert "meine_ü" in wait_for_adaptation(own_server)["error"]


def test_two_pages_do_not_adapt_at_once_and_stopping_leaves_no_half_file(tmp_path: Path) -> None:
    keep(tmp_path / "mine", 12)
    with serving("--own", tmp_path / "mine") as own_server:
        own_server.ask_json("POST", "/api/adaptation", {"model": "reader"})
        question, kind = json.dumps({"model": "reader"}).encode(), {"Content-Type": "application/json"}
        status, _, content = own_server.ask("POST", "/api/adaptation", question, kind)
        assert status == 409
        assert "Wait" in json.loads(content)["error"]
        own_server.process.send_signal(signal.SIGTERM)
        end(own_server.process)
        assert own_server.process.returncode == 0
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["7"]


def test_an_adapted_model_can_be_chosen_when_the_page_comes_back(tmp_path: Path) -> None:
    (tmp_path / "own-digits").mkdir()
    (tmp_path / "own-digits" / "adapted.onnx").write_bytes(BLOG.read_bytes())
    with serving(cwd=tmp_path) as own_server:
        assert own_server.ask_json("GET", "/api/models/") == ["blog", "reader", "adapted"]
    with serving("own-digits/adapted.onnx", cwd=tmp_path) as own_server:
        assert own_server.ask_json("GET", "/api/models/") == ["adapted", "blog", "reader"]


def test_the_nearest_training_images_are_found(server: Server) -> None:
    mnist = load_dataset("mnist")
    found = server.ask_json("POST", "/api/nearest", {"image": to_crop(mnist.train.images[17]), "rival": "3"})
    assert found["images"] == 55_000
    assert found["nearest"][0]["index"] == 17
    assert found["nearest"][0]["image"] == to_crop(mnist.train.images[17])["pixels"]
    assert len(found["nearest"]) == 5
    assert [one["label"] for one in found["of_rival"]] == ["3", "3", "3"]


@pytest.mark.parametrize("name", ["blog@", "blog@3", "blog@010", "blog@" + 5_000 * "1", "@0", "nobody@1"])
def test_a_checkpoint_that_is_not_there_is_unknown(server: Server, name: str) -> None:
    assert server.ask("GET", f"/api/models/{name}")[0] == 404


def test_the_nearest_of_something_else_than_an_image_is_refused(server: Server) -> None:
    question = json.dumps({"image": to_crop(seven()), "rival": "3"}).encode()
    status, _, content = server.ask("POST", "/api/nearest", question, {"Content-Type": "application/json"})
    assert status == 422
    assert "28 x 28" in json.loads(content)["error"]
