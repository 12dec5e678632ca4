"""Explain a network's answer about one image, and write the page about it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitnet.data.dataset import Dataset, UInt8
from digitnet.data.disputed import disputed_labels
from digitnet.errors import UsageError
from digitnet.evaluation.evaluate import load_evaluation
from digitnet.evaluation.explanation import Explanation, explain_image
from digitnet.evaluation.mistakes import rank_mistakes
from digitnet.explaining.own_picture import check_takes_pictures, find_digit, takes_pictures
from digitnet.files import expand_home, write_whole
from digitnet.progress import Progress
from digitnet.reading.picture import Source
from digitnet.reporting.explain_page import OwnPicture, Subject, examples_of, render_explanation
from digitnet.reporting.explain_words import answer_sentence, noun
from digitnet.reporting.how_it_reads import describe_reading
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network

MISTAKES = 5
"""Mistakes that the page names to go on with."""


@dataclass(frozen=True)
class Explained:
    """An explanation, and the page that shows it."""

    explanation: Explanation
    page: Path

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        return answer_sentence(self.explanation)


def explain(
    run: Run | Path | str,
    picture: int | Source,
    *,
    single: bool = False,
    out: Path | str | None = None,
    dataset: Dataset | None = None,
    progress: Progress | None = None,
) -> Explained:
    """Explain how a finished run's network reads one image, and write a page about it.

    `picture` is the index of a test image, from 0, or a picture of one digit: a path, bytes, a stream, a PIL image
    or an array, see `Reader.read`. With `single` all ink of the picture is one digit; a run on letters always
    takes it so. The page is written to `out`, by default ``explain-INDEX.html`` or ``explain-NAME.html`` in the
    run's folder. `dataset` saves reading the data again. `progress` shows the progress, by default nowhere. Takes
    two seconds for the recipe fast.

    Raises RunError when the run is not finished; UsageError for an index outside the test images, for a path where
    there is nothing, and for a picture when the run does not know digits or letters of 28 x 28; PictureError for a
    picture that can't be opened or does not hold one digit; StorageError if the page can't be written.
    """
    run = run if isinstance(run, Run) else Run(run)
    run.require_finished()  # before the data is loaded, which takes time
    with progress or Progress() as shown:
        subject = _subject(run, picture, single, dataset, shown, beside_report=out is None)
    html = render_explanation(subject)
    if out:
        page = expand_home(out)
        write_whole(page, html)
    else:
        page = run.path / f"explain-{_stem(subject.image)}.html"
        with run.locked():
            write_whole(page, html)
    return Explained(subject.explanation, page)


def _subject(
    run: Run,
    picture: int | Source,
    single: bool,
    dataset: Dataset | None,
    progress: Progress,
    *,
    beside_report: bool,
) -> Subject:
    """Find the image, explain it, and collect what else the page shows."""
    image: int | OwnPicture
    if isinstance(picture, int | np.integer):
        dataset = run.check_data(dataset) if dataset else run.dataset
        image, pixels = int(picture), _test_image(int(picture), dataset)
    else:
        check_takes_pictures(run)
        single = single or noun(run.environment["label_names"]) != "digit"  # the reader knows no letters
        image, pixels = find_digit(picture, _name(picture), single=single)
        dataset = run.check_data(dataset) if dataset else run.dataset
    true = int(dataset.test.labels[image]) if isinstance(image, int) else None
    network = load_network(run)
    explanation = explain_image(network, pixels, dataset, true, progress)
    return Subject(
        run=run.path,
        config=run.config,
        dataset=dataset,
        image=image,
        explanation=explanation,
        reads=describe_reading(network, run.config, examples_of(explanation), dataset.label_names),
        disputed=disputed_labels(dataset).get(image) if isinstance(image, int) else None,
        mistakes=_other_mistakes(run, dataset, image),
        takes_pictures=takes_pictures(run),
        report="report.html" if beside_report and (run.path / "report.html").is_file() else None,
    )


def _test_image(index: int, dataset: Dataset) -> UInt8:
    if not 0 <= index < len(dataset.test):
        raise UsageError.mismatch(
            f"The test images of {dataset.name}",
            expected=f"an index from 0 to {len(dataset.test) - 1:,}",
            found=f"{index:,}",
            remedy="Images are counted from 0.",
        )
    return np.asarray(dataset.test.images[index])


def _name(picture: Source) -> str:
    """Name a picture as people do: by its file; raise UsageError for a path where there is nothing."""
    if not isinstance(picture, str | Path):
        return "picture"
    path = Path(picture)
    if not _may_exist(path):
        raise UsageError.mismatch(
            picture,
            expected="the index of a test image, or a picture's file",
            found="neither a whole number nor a file of that name",
            remedy="Check the path.",
        )
    return path.name


def _may_exist(path: Path) -> bool:
    try:
        return path.expanduser().exists()
    except RuntimeError:  # ~ of somebody who is not known
        return False
    except OSError:  # whoever opens it says why that is not possible
        return True


def _stem(image: int | OwnPicture) -> str:
    """Name the page of an image; a picture 7.png keeps its suffix, since explain-7 is of test image 7."""
    if isinstance(image, int):
        return str(image)
    stem = Path(image.name).stem
    return image.name if stem.isdecimal() else stem


def _other_mistakes(run: Run, dataset: Dataset, image: int | OwnPicture) -> list[int]:
    """List the most confident mistakes but this; none if the run was not evaluated, which is not done here."""
    if not (run.path / "test_logits.npy").is_file():
        return []
    evaluation = load_evaluation(run, dataset)
    ordered = rank_mistakes(evaluation.logits, evaluation.labels)
    return [int(index) for index in ordered if index != image][:MISTAKES]
