"""The page as a folder of files that any web server can host: the network runs in the browser there.

index.html    the page, marked as static
page/         its style sheets and modules
models.json   the names of the models, the first one chosen
models/       for each its file, its description and, if MNIST is in the cache, its mistakes;
              and some training images, for each its label and its 784 pixels, a byte each
ort/          onnxruntime-web, version and hashes pinned (MIT licence)
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from digitnet import pages
from digitnet.data.cache import read_cached
from digitnet.data.catalog import Download
from digitnet.data.raw import OnMessage, ignore_message
from digitnet.data.sources.https import HttpsMirror
from digitnet.data.sources.npm import NpmPackage
from digitnet.data.sources.source import RawFile
from digitnet.errors import DataError, ModelError
from digitnet.files import make_folder, new_folder, write_whole
from digitnet.serving.page_api.answers import describe_model
from digitnet.serving.page_api.mnist import load_cached_mnist
from digitnet.serving.shelf import Model

PAGE = Path(__file__).with_name("page")
"""Folder of the page's own files."""

FILES = {file.name: file for folder in (PAGE, pages.FOLDER) for file in folder.iterdir() if file.suffix != ".py"}
"""The page's files by name, those that it shares with the report too."""

ONNX_RUNTIME = Download(
    name="onnxruntime-web-1.30.0",
    files=(
        RawFile(
            "ort.wasm.bundle.min.mjs",
            73_054,
            "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
        ),
        RawFile(
            "ort-wasm-simd-threaded.wasm",
            14_239_897,
            "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
        ),
    ),
    sources=(
        NpmPackage("onnxruntime-web", "1.30.0", folder="package/dist", others=2**28),
        HttpsMirror("https://cdn.jsdelivr.net/npm/onnxruntime-web@1.30.0/dist", gzipped=False),
    ),
    by_hand="and put them into the folder onnxruntime-web-1.30.0 of digitnet's cache",
)
"""ONNX Runtime for browsers; WebAssembly with SIMD, which every browser has since 2023."""

_TRAINING_IMAGES = 3_000  # 2.4 MB; the server searches all

_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
)


def write_static(models: Mapping[str, Model], folder: Path, on_message: OnMessage = ignore_message) -> None:
    """Write the page with these models into a new folder.

    Raises StorageError if it exists or can't be written, DataError if onnxruntime-web can't be fetched, ModelError
    for a model that can't be used.
    """
    runtime = read_cached(ONNX_RUNTIME, on_message)
    with new_folder(folder) as new:
        for name, file in FILES.items():
            if name != "index.html":
                write_whole(make_folder(new / "page") / name, file.read_bytes())
        for wanted, content in zip(ONNX_RUNTIME.files, runtime, strict=True):
            write_whole(make_folder(new / "ort") / wanted.name, content)
        home = make_folder(new / "models")
        write_whole(new / "models.json", json.dumps(list(models)))
        for name, model in models.items():
            for one in (model, *model.checkpoints.values()):
                write_whole(home / f"{one.name}.json", json.dumps(describe_model(one)))
                write_whole(home / f"{one.name}.onnx", one.path.read_bytes())
            with suppress(DataError, ModelError):  # the page says that they are not there
                write_whole(home / f"{name}.mistakes.json", json.dumps(model.mistakes))
        with suppress(DataError):
            split = load_cached_mnist().train
            pixels = split.images[:_TRAINING_IMAGES].reshape(_TRAINING_IMAGES, -1)
            packed = np.column_stack([split.labels[:_TRAINING_IMAGES], pixels])
            write_whole(home / "training-images.bin", packed.tobytes())
        write_whole(new / "index.html", _mark_static(FILES["index.html"].read_text(encoding="utf-8")))


def _mark_static(page: str) -> str:
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    return page.replace("<title>", f'{policy}\n<meta name="digitnet" content="static">\n<title>', 1)
