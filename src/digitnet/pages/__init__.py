"""What the report and the served page share: type and colours, and the section "How this network reads a digit"."""

from pathlib import Path

FOLDER = Path(__file__).parent
"""Folder of the style sheets and scripts."""
