"""Fill a template of this folder: the HTML of one self-contained page."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from digitnet import pages

_FOLDER = Path(__file__).parent

_SHOW = """
showHowItReads(
  document.getElementById("how-it-reads"), JSON.parse(document.getElementById("how-it-reads-data").textContent));
"""


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template with values; it may also include the style sheets of this folder and of `pages`.

    The page's Content-Security-Policy allows that script alone, by its hash.
    """
    environment = Environment(
        loader=FileSystemLoader([_FOLDER, pages.FOLDER]),
        autoescape=True,  # the names of classes come from the user's data
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (pages.FOLDER / "how_it_reads.js").read_text(encoding="utf-8") + _SHOW
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return environment.get_template(template).render(values, script=script, script_hash=f"sha256-{digest}")
