"""A table of text, for a terminal and for a page.

Not rich's: its Markdown box aligns no column, escapes no ``|``, and wraps at the width of a terminal.
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

    def to_markdown(self) -> str:
        """Write a Markdown table under its title."""
        rule = ("---", *["---:"] * (len(self.columns) - 1))
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in self.rows]
        head = ["| " + " | ".join(row) + " |" for row in (self.columns, rule)]
        return "\n".join([f"**{self.title}**", "", *head, *lines])
