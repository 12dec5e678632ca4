"""The site that is made from the documents: ``make site``. Sphinx reads this file.

It fails on a link, an anchor or a public name that leads nowhere, and on a page that docs/index.md does not list.
"""

from dataclasses import is_dataclass
from typing import Generic, TypeVar

import numpy.typing
from sphinx.application import Sphinx

project = "digitnet"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.githubpages"]
smartquotes = False  # two hyphens begin a flag
highlight_language = "none"  # of code without a language

myst_heading_anchors = 3  # links to headings as on code hosts, by their words

# The Python reference. Docstrings write `name` for an argument, and ``code`` for code.
default_role = "code"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
maximum_signature_line_length = 80
python_use_unqualified_type_names = True
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!digitnet\.\w+$).*")]  # types that are not public need no entry

html_title = "digitnet"
html_favicon = "../src/digitnet/serving/page/icon.svg"
html_theme = "furo"
html_static_path = ["theme"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#005f96", "color-brand-content": "#005f96"},
    "dark_css_variables": {"color-brand-primary": "#7cc4ee", "color-brand-content": "#7cc4ee"},
}


class NDArray(Generic[TypeVar("Scalar")]):  # type: ignore[misc]
    """Is shown as ``NDArray[uint8]``; numpy's own is an alias, of which only the long type is left to show."""


NDArray.__module__ = "numpy.typing"
numpy.typing.NDArray = NDArray


def leave_out_fields(
    app: Sphinx, what: str, name: str, documented: object, *others: object
) -> tuple[str, None] | None:
    """Leave out the arguments of a dataclass, which its fields repeat."""
    is_repeated = what == "class" and is_dataclass(documented) and name != "digitnet.TrainConfig"
    return ("", None) if is_repeated else None


def setup(app: Sphinx) -> None:
    """Connect what a configuration alone can't say."""
    app.connect("autodoc-process-signature", leave_out_fields)
