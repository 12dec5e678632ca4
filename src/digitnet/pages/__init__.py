"""What the report and the served page share: type, colours, and the section on how a network reads a digit."""

from pathlib import Path

FOLDER = Path(__file__).parent
"""Folder of the style sheets and scripts."""
