"""What an app tells a person: results on stdout, all else on stderr, whatever became of both.

A reader may be gone (`| head -1`), a disk full (`> /dev/full`), a stream closed (`2>&-`): the
work goes on, and nothing of it ends in a traceback.
"""

import os
import sys

from tfvis.errors import InputError, printable


def prepare() -> None:
    """Makes both streams fit to be written to; the first thing an app does.

    A closed descriptor is opened on nothing, since the next file opened would get its number
    and the messages with it. Names that a stream's encoding lacks are spelled out.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            _discard(number)
        if getattr(sys, name) is None:
            stream = open(number, "w" if number else "r", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if not isinstance(sys.stderr, _Messages):
        sys.stderr = _Messages(sys.stderr)


def tell(line: str) -> None:
    """Writes one line of results on stdout; line ends in names do not make a second.

    Raises:
        InputError: the disk it goes to is full, and the like.
    """
    write(" ".join(printable(line).splitlines()) + "\n")


def write(text: str) -> None:
    """Writes text on stdout as it is.

    Raises:
        InputError: as `tell`.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough; the files are still wanted.
        _discard(1)
    except OSError as error:
        _discard(1)
        raise InputError(
            f"Cannot write to the standard output ({error.strerror}); the results are in the "
            "folder all the same."
        ) from error


def say(text: str) -> None:
    """Tells the person something, on stderr, where progress is shown too."""
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def _discard(number: int) -> None:
    """Lets what is still to be written to a descriptor vanish."""
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != number:
        os.dup2(nothing, number)
        os.close(nothing)


class _Messages:
    """Stderr for everything that writes to it, bars and warnings too; a failure is its end."""

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self._end()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._end()

    def _end(self) -> None:
        if not self._stream.closed:
            _discard(self._stream.fileno())
