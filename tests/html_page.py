"""A page of HTML as the tests look at it."""

from collections.abc import Iterator
from html.parser import HTMLParser


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.pieces: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def all(self, tag: str) -> Iterator[dict[str, str]]:
        return (attributes for name, attributes in self.elements if name == tag)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.pieces).split())

    @property
    def loaded(self) -> list[str]:
        """What the page loads besides itself."""
        names = ("src", "srcset", "href", "poster", "data")
        found = [(tag, name, value) for tag, attributes in self.elements for name, value in attributes.items()]
        return [value for tag, name, value in found if name in names and tag != "a"]
