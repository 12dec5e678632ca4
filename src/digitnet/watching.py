"""What looks on while something long runs."""

from types import TracebackType
from typing import Self


class Onlooker:
    """A context that is open the whole time, and shows nothing; its children learn of more, and theirs show it."""

    def __enter__(self) -> Self:
        """Begin to show."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
