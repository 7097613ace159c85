"""What belongs to one person: files in a folder of an unguessable name, bounded, removed with time.

A browser holds a token; the folder is named by its hash, so that no name of a file tells it.
"""

import dataclasses
import hashlib
import json
import pathlib
import re
import secrets
import shutil
import threading
import time

from tfvis import bounds, files

# Names that files of a session have: what it is, sixteen digits of chance, an ending.
_NAME = re.compile(r"[a-z]{1,16}-[0-9a-f]{16}\.(png|jpg|json)")
_STATE = "session.json"
_DIGITS = 32
_FOLDER = re.compile(f"[0-9a-f]{{{_DIGITS}}}")


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much is kept, and how long.

    Attributes:
        files: of one person, at most; the oldest go first.
        bytes: likewise.
        hours: after which a session that nobody comes back to is removed.
        sessions: kept at most, the last used.
    """

    files: int = 80
    bytes: int = 500 << 20
    hours: float = 24.0
    sessions: int = 100


def token() -> str:
    """Returns a new token, 256 bits by chance."""
    return secrets.token_urlsafe(32)


class Session:
    """The files of one person, and what is remembered of them.

    Attributes:
        folder: of the files.
        lock: held while what is remembered is changed.
    """

    def __init__(self, folder: pathlib.Path, limits: Limits):
        self.folder, self.lock, self._limits = folder, threading.RLock(), limits

    def new(self, kind: str, ending: str) -> pathlib.Path:
        """Returns the path of a file to be, such as photograph-0123456789abcdef.png."""
        return self.folder / f"{kind}-{secrets.token_hex(8)}.{ending}"

    def file(self, name: str) -> pathlib.Path | None:
        """Returns one of its files by its name; None where there is none, or it is no such name."""
        path = self.folder / name if _NAME.fullmatch(name) else None
        return path if path and path.is_file() and not path.is_symlink() else None

    def remembered(self) -> dict:
        """Returns what was remembered; nothing where it is missing or damaged."""
        try:
            path = self.folder / _STATE
            found = json.loads(files.read_bytes(path, _STATE, bounds.DESCRIPTION))
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def remember(self, **values) -> dict:
        """Adds to what is remembered, of JSON's types; returns all of it."""
        with self.lock:
            found = self.remembered() | values
            files.write_text(self.folder / _STATE, json.dumps(found))
            self._trim(json.dumps(found))
        return found

    def _trim(self, kept: str) -> None:
        """Removes what nothing remembers, but what is new, and of too much the oldest."""
        now, found = time.time(), []
        for path in self.folder.iterdir():
            if _NAME.fullmatch(path.name):
                about = path.stat()
                found.append((path.name in kept, about.st_mtime, about.st_size, path))
        found.sort(key=lambda one: one[:2], reverse=True)
        count = size = 0
        for needed, changed, length, path in found:
            count, size = count + 1, size + length
            # A page may still show what was replaced a moment ago.
            stale = not needed and now - changed > 60
            if stale or count > self._limits.files or size > self._limits.bytes:
                path.unlink(missing_ok=True)


class Sessions:
    """All sessions of a studio.

    Args:
        root: folder of them all.
        limits: of each, and of all.
    """

    def __init__(self, root: pathlib.Path, limits: Limits = Limits()):
        self.root, self.limits = root, limits
        self._known: dict[str, Session] = {}
        self._lock = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)

    def of(self, word: str) -> Session:
        """Returns the session of a token, made where there is none.

        A word that no `token` returned is as good as one: its folder is as empty.
        """
        name = hashlib.sha256(word.encode(errors="replace")).hexdigest()[:_DIGITS]
        with self._lock:
            session = self._known.get(name)
            if session is None or not session.folder.is_dir():
                self._sweep(name)
                session = self._known[name] = Session(self.root / name, self.limits)
                session.folder.mkdir(mode=0o700, exist_ok=True)
            # Its time is that of its last use.
            (session.folder / ".used").touch()
            return session

    def sweep(self) -> None:
        """Removes sessions that nobody has come back to, and the oldest of too many."""
        with self._lock:
            self._sweep()

    def _sweep(self, coming: str = "") -> None:
        oldest = time.time() - 3600 * self.limits.hours
        found = sorted(
            # What else lies there is somebody's.
            ((_used(path), path) for path in self.root.iterdir() if _FOLDER.fullmatch(path.name)),
            reverse=True,
        )
        for place, (used, path) in enumerate(found, 1):
            if path.name != coming and (used < oldest or place >= self.limits.sessions):
                shutil.rmtree(path, ignore_errors=True)
                self._known.pop(path.name, None)


def _used(folder: pathlib.Path) -> float:
    mark = folder / ".used"
    return (mark if mark.exists() else folder).stat().st_mtime
