"""``digitnet explain``."""

import json
import re
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import Format, MovedData, RunFolder, Switch
from digitnet.cli.output import print_next


def explain(
    run: RunFolder,
    picture: Annotated[Positional[str], arg(metavar="PICTURE|INDEX")],
    data: MovedData = None,
    single: Switch = False,
    out: Annotated[
        Path | None,
        arg(metavar="FILE", help_behavior_hint="(default: RUN/explain-INDEX.html, RUN/explain-NAME.html)"),
    ] = None,
    format: Format = "text",
) -> None:
    """Show how a finished run reads one digit, and what decided; print the answer and the page's path.

    The page has the probabilities, the strokes that the answer rests on, and the training images that resemble it.

    For example:
        digitnet explain runs/fast-001 247
        digitnet explain runs/fast-001 photo.jpg

    Args:
        run: A folder that `digitnet train` made.
        data: Where the data of the run is now.
        picture: A photograph or scan of one digit, or the index of a test image, from 0.
        single: All ink of the picture is one digit, whatever it looks like.
        out: The page to write.
        format: text for people, json for programs.
    """
    from digitnet.progress import make_progress
    from digitnet.run_folder import Run

    trained, progress = Run(run, data), make_progress(quiet=format == "json")
    trained.require_finished()
    progress.message("Reading the image again and again, each time without another square of its ink.")

    from digitnet.explaining.explain import explain  # after the message: torch takes a second to load

    asked = int(picture) if re.fullmatch("-?[0-9]+", picture) else picture
    explained = explain(trained, asked, single=single, out=out, progress=progress)
    if format == "json":
        answer = {"image": picture, **explained.explanation.to_json(), "page": str(explained.page)}
        print(json.dumps(answer, indent=2))
    else:
        print(explained.sentence)
        print(f"Page: {explained.page}")
        print_next("see all its mistakes", "report", run)
