"""The errors that a person can meet and correct.

    DigitnetError            printed as one sentence, without a traceback             exit code 1
    ├── UsageError           the command line or a configuration is wrong             exit code 2
    ├── DataError            a data set is missing, damaged or invalid                exit code 1
    ├── PictureError         a picture is missing, damaged, too large or no picture   exit code 1
    ├── RunError             a run folder is missing, damaged, busy or of another run exit code 1
    ├── ModelError           a model file is missing, damaged, foreign or newer       exit code 1
    ├── DeviceError          the device is missing, or computes wrong results         exit code 1
    ├── StorageError         a file could not be written                              exit code 1
    │   └── OutputError      standard output could not be written                     exit code 1
    ├── DivergedError        the loss or the weights are no longer finite             exit code 1
    ├── TrackingError        TensorBoard or MLflow could not be written to            exit code 1
    └── Interrupted          a signal asked to stop, and the state was saved          exit code 130 or 143

Every message is one sentence: what, where, what was expected, what was found, what to do. Any other exception is a
bug in digitnet and keeps its traceback.
"""

from collections.abc import Iterable, Mapping
from typing import Self, TypeVar

Known = TypeVar("Known")


class DigitnetError(Exception):
    """Something that a person can correct; the message says what and how."""

    exit_code = 1

    @classmethod
    def mismatch(cls, where: object, *, expected: object, found: object, remedy: str) -> Self:
        """Make the message ``{where}: expected {expected}, found {found}. {remedy}``."""
        return cls(f"{where}: expected {expected}, found {found}. {remedy}")


class UsageError(DigitnetError):
    """The command line or a configuration is wrong."""

    exit_code = 2


class DataError(DigitnetError):
    """A data set is missing, damaged or invalid."""

    @classmethod
    def unreadable(cls, path: object, error: Exception) -> Self:
        """Make the error for a file that the system or a decoder can't read."""
        reason = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        return cls(f"{path}: can't be read ({reason.rstrip('.')}). Replace the file with an undamaged copy.")


class PictureError(DigitnetError):
    """A picture is missing, damaged, too large or no picture at all."""


class RunError(DigitnetError):
    """A run folder is missing, damaged, busy or belongs to another configuration."""


class ModelError(DigitnetError):
    """A model file is missing, damaged, not digitnet's or made by a newer digitnet."""


class DeviceError(DigitnetError):
    """The requested device is missing, or its results differ from the CPU's."""


class StorageError(DigitnetError):
    """A file could not be written."""


class OutputError(StorageError):
    """Standard output could not be written."""


class DivergedError(DigitnetError):
    """The loss or the weights are no longer finite numbers."""


class TrackingError(DigitnetError):
    """TensorBoard or MLflow could not be written to."""


class Interrupted(DigitnetError):  # noqa: N818 - not an error
    """A signal asked to stop, and the state was saved."""

    def __init__(self, message: str, *, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number  # the shell's convention: 130 for SIGINT, 143 for SIGTERM


def look_up(kind: str, name: str, known: Mapping[str, Known]) -> Known:
    """Return what a name stands for, such as a preset; raise UsageError with the nearest name."""
    if name not in known:
        raise UsageError(f"There is no {kind} {name!r}. {nearest(name, known)}")
    return known[name]


def nearest(name: str, known: Iterable[str]) -> str:
    """List the choices, and the one that was probably meant: ``"Did you mean 'mnist'? Known: ..."``."""
    known = sorted(known)
    return f"{guess(name, known)}Known: {', '.join(known)}."


def guess(name: str, known: Iterable[str]) -> str:
    """Ask for the choice nearest to a name, ``"Did you mean 'mnist'? "``; nothing if none is near."""
    import difflib  # imported only after a mistyped name

    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}? " if close else ""
