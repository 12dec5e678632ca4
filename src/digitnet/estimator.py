"""A classifier with scikit-learn's interface: for pipelines, cross-validation and grid search."""

import json
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from digitnet.installation import install_command

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"DigitClassifier needs scikit-learn. Run: {install_command('sklearn')}", name=error.name
    ) from error

from digitnet.config import FIELDS, TrainConfig
from digitnet.data.dataset import Split, UInt8
from digitnet.data.raw import Raw
from digitnet.data.splitting import split
from digitnet.errors import DataError, RunError, UsageError, nearest
from digitnet.files import expand_home, new_folder, write_whole
from digitnet.metrics import softmax
from digitnet.networks.predict import predict_logits
from digitnet.presets import preset
from digitnet.progress import Progress, make_progress
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network
from digitnet.training.train import train

Array = npt.NDArray[Any]

_FILE = "classifier.json"  # in the run folder: what `fit` learned besides the weights
_RANGES = ((0, 1), (-1, 1), (0, 16), (0, 255))  # of pixels; 0 to 16 is scikit-learn's load_digits
_MOST_CLASSES = 256  # labels are bytes
_FIELDS = set(FIELDS) - {"data", "seed"}  # the data are given to `fit`, and the seed is `random_state`


class DigitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A network that is trained on arrays: ``DigitClassifier("fast", steps=200).fit(X, y)``.

    `X` holds square images ``(n, pixels)``, or images ``(n, rows, columns)``. Its numbers are from 0 to 1, -1 to
    1, 0 to 16 or 0 to 255: the smallest of these ranges that holds all of them. Numbers of any other range are
    scaled by their own minimum and maximum. `fit` learns the range. `y` holds a label of any kind for each image.

    `preset` is where the configuration starts from. `fields` are other values of its fields, such as
    ``learning_rate=0.01``, and count as parameters: `GridSearchCV` can vary them. `random_state` is the seed. With
    `verbose`, the progress is shown on standard error. `fit` keeps some of the images for validation, as `train`
    does: the first 5,000, or a tenth of each class where 5,000 are too many.

    After `fit`, `classes_` are the labels in their order, `network_` is the torch module, and `run_` is the run,
    in a temporary folder that lasts as long as the classifier; `save` keeps it.
    """

    _remove_folder: Any  # removes the folder of the run

    def __init__(
        self, preset: str = "fast", *, random_state: Any = 0, verbose: bool = False, **fields: Any
    ) -> None:
        self.preset = preset
        self.random_state = random_state
        self.verbose = verbose
        for name, value in fields.items():
            if name not in _FIELDS:
                raise TypeError(f"DigitClassifier has no parameter {name!r}. {nearest(name, _FIELDS)}")
            setattr(self, name, value)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all parameters, and those fields of the configuration that were given."""
        return {**super().get_params(deep), **self._fields}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, and any field of the configuration; raise ValueError for an unknown name."""
        fields = {name: params.pop(name) for name in _FIELDS & params.keys()}
        super().set_params(**params)  # first, as it may raise
        for name, value in fields.items():
            setattr(self, name, value)
        return self

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803 - scikit-learn's names
        """Train on images and their labels; raise ValueError for what can't be learned from."""
        rows, shape = _to_rows(X)
        flat, labels = validate_data(self, rows, y)
        check_classification_targets(labels)
        self.image_shape_ = shape or self._find_shape(flat)
        self.classes_, encoded = np.unique(labels, return_inverse=True)
        if not 2 <= len(self.classes_) <= _MOST_CLASSES:
            raise ValueError(
                f"y: expected from 2 to {_MOST_CLASSES} classes, found {len(self.classes_)} "
                f"{'class' if len(self.classes_) == 1 else 'classes'}. Give images of others, too."
            )
        self.pixel_range_ = _find_range(flat)
        images = self._scale(flat)
        nothing = Split(images[:0], encoded[:0].astype(np.uint8))
        raw = Raw(Split(images, encoded.astype(np.uint8)), nothing, tuple(map(str, self.classes_)))
        progress = make_progress() if self.verbose else Progress()
        try:
            config = self._configure()
            dataset = split(raw, "X", config.images.validation_images, progress.message)
            self.run_ = train(config, dataset=dataset, out=self._make_folder() / "run", progress=progress)
        except (DataError, UsageError) as error:  # scikit-learn's searches and checks expect a ValueError
            raise ValueError(str(error)) from error
        self.network_ = load_network(self.run_)
        self.n_iter_ = config.optimisation.steps
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803
        """Return the probability ``(n, classes)`` of each class for each image."""
        check_is_fitted(self, "network_")
        flat = validate_data(self, _to_rows(X)[0], reset=False)
        logits = predict_logits(self.network_, self._scale(flat), len(self.classes_))
        return softmax(logits).astype(np.float64)

    def predict(self, X: Any) -> Array:  # noqa: N803
        """Return the most probable label ``(n,)`` of each image."""
        best = self.predict_proba(X).argmax(axis=1)
        predicted: Array = self.classes_[best]
        return predicted

    def save(self, path: Path | str) -> Run:
        """Keep the run of the last `fit` in the new folder `path`, and return it: `load` reads it.

        Nothing is pickled. Raises StorageError where something is there already, or nothing can be written.
        """
        check_is_fitted(self, "network_")
        path = expand_home(path)
        if not hasattr(self, "run_"):
            raise RunError(f"{path}: a copy of a classifier has no run to save. Fit it, or save the first one.")
        learned = {
            "preset": self.preset,
            "classes": self.classes_.tolist(),
            "image_shape": self.image_shape_,
            "pixel_range": self.pixel_range_,
            "n_features": self.n_features_in_,
        }
        with new_folder(path) as made:
            shutil.copytree(self.run_.path, made, dirs_exist_ok=True)
            write_whole(made / _FILE, json.dumps(learned, indent=2) + "\n")
        return Run(path)

    @classmethod
    def load(cls, run: Run | Path | str) -> Self:
        """Make the fitted classifier that `save` kept in a run folder; raise RunError where none did."""
        run = run if isinstance(run, Run) else Run(run)
        learned = run.read_json(_FILE, missing="the run was not saved by DigitClassifier.save")
        config = run.config
        try:
            start = preset(str(learned["preset"]))
            fields = {name: config.value(name) for name in config.differences(start) if name in _FIELDS}
            classifier = cls(str(learned["preset"]), random_state=config.seed, **fields)
            classifier.classes_ = np.array(learned["classes"])
            rows, columns = map(int, learned["image_shape"])
            low, high = map(float, learned["pixel_range"])
            classifier.image_shape_, classifier.pixel_range_ = (rows, columns), (low, high)
            classifier.n_features_in_ = int(learned["n_features"])
            is_sound = rows * columns == classifier.n_features_in_ and low < high
        except (LookupError, TypeError, ValueError, UsageError):
            is_sound = False
        if not is_sound:
            raise RunError(f"{run.path / _FILE}: is damaged. Save the classifier again.")
        classifier.n_iter_ = config.optimisation.steps
        classifier.run_ = run
        classifier.network_ = load_network(run)
        return classifier

    def __getstate__(self) -> Mapping[str, Any]:
        """Leave out the temporary folder, which ends with this process."""
        state = dict(super().__getstate__())
        state.pop("_remove_folder", None)
        state.pop("run_", None)
        return state

    def _configure(self) -> TrainConfig:
        seed = self.random_state
        if not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).randint(2**31)
        return preset(self.preset, seed=int(seed), **self._fields)

    def _make_folder(self) -> Path:
        """Make a folder that lasts until the next one, or as long as the classifier."""
        if hasattr(self, "_remove_folder"):
            self._remove_folder()
        folder = tempfile.mkdtemp(prefix="digitnet-")
        self._remove_folder = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    @property
    def _fields(self) -> dict[str, Any]:
        """Those fields of the configuration that were given."""
        return {name: value for name, value in vars(self).items() if name in _FIELDS}

    def _find_shape(self, flat: Array) -> tuple[int, int]:
        side = isqrt(flat.shape[1])
        if side * side != flat.shape[1]:
            raise ValueError(
                f"X: expected rows of square images, such as 784 pixels for 28 x 28, found {flat.shape[1]:,} "
                "columns. Drop those that are no pixels, or give images of the shape (n, rows, columns)."
            )
        return side, side

    def _scale(self, flat: Array) -> UInt8:
        """Make bytes ``(n, rows, columns)`` of numbers in the learned range."""
        low, high = self.pixel_range_
        if (low, high) == (0, 255) and flat.dtype == np.uint8:
            return flat.reshape(-1, *self.image_shape_)
        scaled = np.rint((flat.astype(np.float64) - low) * (255 / (high - low)))
        return scaled.clip(0, 255).astype(np.uint8).reshape(-1, *self.image_shape_)


def _to_rows(images: Any) -> tuple[Any, tuple[int, int] | None]:
    """Make rows ``(n, pixels)`` of images ``(n, rows, columns)``; return their shape, None for rows.

    Images may have an axis of one channel, first or last.
    """
    array = np.asarray(images)
    if array.ndim == 4 and 1 in (array.shape[1], array.shape[3]):
        array = array[:, 0] if array.shape[1] == 1 else array[..., 0]
    if array.ndim != 3:
        return images, None
    count, height, width = array.shape
    return array.reshape(count, height * width), (height, width)


def _find_range(values: Array) -> tuple[float, float]:
    """Return the smallest usual range that holds all values, or else their own."""
    low, high = float(values.min()), float(values.max())
    usual = (known for known in _RANGES if known[0] <= low and high <= known[1])
    return next(usual, (low, max(high, low + 1)))
