"""How digitnet was installed, and so how one of its extras is added: the command that a message names."""

import json
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname


def install_command(extra: str) -> str:
    """Write the command that adds an extra, such as ``train``, to digitnet as it was installed here."""
    return write_command(extra, _read_origin(), Path(sys.prefix))


def write_command(extra: str, origin: Mapping[str, Any], prefix: Path) -> str:
    """Write the command for an installation from `origin` in the environment `prefix`.

    `origin` is what installers write into direct_url.json, empty where it came from an index:
    https://packaging.python.org/en/latest/specifications/direct-url-data-structure.
    """
    is_editable = origin.get("dir_info", {}).get("editable", False)
    requirement = ("--editable " if is_editable else "") + shlex.quote(_write_requirement(f"[{extra}]", origin))
    folders = prefix.parts
    if "pipx" in folders:
        return f"pipx install --force {requirement}"
    if "uv" in folders and "tools" in folders:
        return f"uv tool install {requirement}"
    return f"pip install {requirement}"


def _write_requirement(extra: str, origin: Mapping[str, Any]) -> str:
    url = str(origin.get("url", ""))
    if version := origin.get("vcs_info"):
        revision = f"@{version['requested_revision']}" if "requested_revision" in version else ""
        folder = f"#subdirectory={origin['subdirectory']}" if "subdirectory" in origin else ""
        return f"digitnet{extra} @ {version['vcs']}+{url}{revision}{folder}"
    if url.startswith("file:"):
        path = Path(url2pathname(urlsplit(url).path))
        if path.exists():
            return f"{path}{extra}"
    elif url:
        return f"digitnet{extra} @ {url}"
    return f"digitnet{extra}"


def _read_origin() -> Mapping[str, Any]:
    try:
        text = distribution("digitnet").read_text("direct_url.json")
        origin = json.loads(text or "{}")
    except (PackageNotFoundError, ValueError):  # run from its sources without being installed; a damaged file
        return {}
    return origin if isinstance(origin, dict) else {}
