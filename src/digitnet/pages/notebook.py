"""What a notebook shows of an object: a line of text, small pictures with captions, a table."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from digitnet.pages.png import UInt8, data_uri, png

_SIDE = 56  # CSS pixels of an image: two for each pixel of MNIST's


def block(title: str, *parts: str) -> str:
    """Put parts of HTML below a title."""
    return f"<div><p><b>{escape(title)}</b></p>{''.join(parts)}</div>"


def gallery(images: Iterable[UInt8], captions: Iterable[str]) -> str:
    """Show images ``(rows, columns)``, 0 for paper and 255 for ink, side by side, each above its caption."""
    shown = "".join(_tile(image, caption) for image, caption in zip(images, captions, strict=True))
    return f'<div style="display: flex; flex-wrap: wrap; gap: 8px">{shown}</div>'


def picture(content: bytes, description: str, kind: str = "image/png") -> str:
    """Show a picture, as wide as the page at most."""
    return f'<img src="{data_uri(content, kind)}" alt="{escape(description)}" style="max-width: 100%">'


def paragraph(text: str) -> str:
    """Write a paragraph."""
    return f"<p>{escape(text)}</p>"


def table(rows: Sequence[Mapping[str, Any]], most: int = 20) -> str:
    """Write rows as a table; of more than `most`, the first and the last."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    left_out = len(rows) - most
    shown = [_row(row.values()) for row in rows]
    if left_out > 0:
        between = f'<tr><td colspan="{len(rows[0])}">{left_out:,} rows more</td></tr>'
        shown = [*shown[: most // 2], between, *shown[-(most - most // 2) :]]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(shown)}</tbody></table>"


def _tile(image: UInt8, caption: str) -> str:
    style = f"width: {_SIDE}px; height: {_SIDE}px; object-fit: contain; image-rendering: pixelated"
    return (
        '<figure style="margin: 0; text-align: center; font-size: 12px">'
        f'<img src="{data_uri(png(255 - image))}" alt="" style="{style}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _row(values: Iterable[Any]) -> str:
    return "<tr>" + "".join(f"<td>{escape(_write(value))}</td>" for value in values) + "</tr>"


def _write(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
