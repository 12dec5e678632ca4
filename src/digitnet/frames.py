"""Rows as a pandas DataFrame, where pandas is installed; nothing else of digitnet needs it."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from digitnet.errors import UsageError

if TYPE_CHECKING:
    from pandas import DataFrame


def to_frame(rows: Iterable[Mapping[str, Any]]) -> "DataFrame":
    """Make a table with a row for each mapping; raise UsageError where pandas is missing."""
    try:
        from pandas import DataFrame
    except ModuleNotFoundError as error:
        raise UsageError("to_frame needs pandas, which is not installed. Run: pip install pandas") from error
    return DataFrame(list(rows))
