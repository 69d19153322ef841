"""Of all processes one at a time writes a run, and none reads what another is writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from helpers import manifest
from helpers.errors import UserError

_NAME = ".lock"
_MOMENT = 0.5
"""Seconds to wait: who only asks whether a run is being written holds its lock a moment, too."""


class BusyError(UserError):
    """Another process is writing what this one would write or read."""


@contextmanager
def writing(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder for this process alone.

    Raises
    ------
    BusyError
        If another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _NAME)
    try:
        lock.acquire(timeout=_MOMENT)
    except Timeout:
        raise BusyError(
            f"another process is writing {what}: wait for it, or choose another name"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def reading(folder: Path, run: str) -> Iterator[None]:
    """Read a run that nobody writes meanwhile; it is not held, for that may take minutes.

    Raises
    ------
    BusyError
        If another process is writing it, or has written it by the end: what was read, and whatever
        was found wrong with it, then means nothing.
    """
    _refuse_half_written(folder, run)
    before = manifest.sha256(folder / manifest.NAME)
    try:
        yield
    finally:
        if manifest.sha256(folder / manifest.NAME) != before:
            raise BusyError(f"the run {run!r} was written while it was read: try again")


def _refuse_half_written(folder: Path, run: str) -> None:
    lock = folder / _NAME
    if not lock.is_file():  # no process ever wrote there
        return
    try:
        with FileLock(lock, timeout=_MOMENT):
            return
    except Timeout:
        raise BusyError(f"another process is writing the run {run!r}: wait for it") from None
    except OSError:
        return  # nobody can write where this may not
