"""A message names the command that adds an extra to digitnet as it is installed here."""

from pathlib import Path
from typing import Any

import pytest

from digitnet.installation import install_command, write_command

VENV = Path("/home/ada/project/.venv")


@pytest.mark.parametrize(
    ("origin", "prefix", "expected"),
    [
        ({}, VENV, "pip install 'digitnet[train]'"),
        ({"url": "file://HERE", "dir_info": {}}, VENV, "pip install 'HERE[train]'"),
        ({"url": "file://HERE", "dir_info": {"editable": True}}, VENV, "pip install --editable 'HERE[train]'"),
        ({"url": "file:///gone.whl", "archive_info": {}}, VENV, "pip install 'digitnet[train]'"),
        (
            {"url": "https://example.org/d.git", "vcs_info": {"vcs": "git", "commit_id": "1"}},
            VENV,
            "pip install 'digitnet[train] @ git+https://example.org/d.git'",
        ),
        (
            {
                "url": "https://example.org/d.git",
                "vcs_info": {"vcs": "git", "commit_id": "1", "requested_revision": "v2"},
                "subdirectory": "python",
            },
            VENV,
            "pip install 'digitnet[train] @ git+https://example.org/d.git@v2#subdirectory=python'",
        ),
        (
            {"url": "file://HERE", "dir_info": {"editable": True}},
            Path("/home/ada/.local/share/uv/tools/digitnet"),
            "uv tool install --editable 'HERE[train]'",
        ),
        (
            {"url": "https://example.org/digitnet.whl", "archive_info": {}},
            VENV,
            "pip install 'digitnet[train] @ https://example.org/digitnet.whl'",
        ),
        (
            {"url": "file://HERE", "dir_info": {}},
            Path("/home/ada/.local/share/pipx/venvs/digitnet"),
            "pipx install --force 'HERE[train]'",
        ),
        ({}, Path("/home/ada/.local/share/uv/tools/digitnet"), "uv tool install 'digitnet[train]'"),
    ],
)
def test_the_command_fits_the_installation(
    origin: dict[str, Any], prefix: Path, expected: str, tmp_path: Path
) -> None:
    here = {key: value.replace("HERE", str(tmp_path)) if key == "url" else value for key, value in origin.items()}
    assert write_command("train", here, prefix) == expected.replace("HERE", str(tmp_path))


def test_this_installation_has_a_command() -> None:
    assert "[train]" in install_command("train")
