"""A table of text, for a terminal and for a page.

Not rich's, which wraps at the width of a terminal.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Cells as text, for a terminal or a page."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def to_text(self) -> str:
        """Align the columns with spaces."""
        widths = [max(map(len, cells)) for cells in zip(self.columns, *self.rows, strict=True)]
        lines = [
            "  ".join(f"{cell:{'<' if k == 0 else '>'}{widths[k]}}" for k, cell in enumerate(row)).rstrip()
            for row in (self.columns, *self.rows)
        ]
        return "\n".join([self.title, *(f"  {line}" for line in lines)])
