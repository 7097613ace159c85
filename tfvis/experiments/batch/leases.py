"""Who works on which shard: files that only one process can make, and that grow old without it.

A lease saves work and keeps nothing right: where two processes hold one, as may happen when both
take over a dead one's at the same moment, both write the same bytes.
"""

import contextlib
import json
import os
import pathlib
import socket
import threading
import time
from collections.abc import Iterator

from tfvis import files

FOLDER = "leases"
# A lease that was not renewed for so long is nobody's: a machine was switched off.
STALE_S = 120.0
# Between two renewals; some may fail, or come late on a machine that does much else.
_RENEW_S = 15.0


def claim(folder: pathlib.Path, number: int, stale_s: float = STALE_S) -> pathlib.Path | None:
    """Returns the lease of a shard, or None where a living process has it.

    Args:
        folder: of the batch.
        number: of the shard.
        stale_s: seconds after which a lease that was not renewed is nobody's.
    """
    path = folder / FOLDER / f"{number:05d}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        if not _dead(path, stale_s):
            return None
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return None
    with os.fdopen(handle, "w") as file:
        json.dump({"host": socket.gethostname(), "process": os.getpid()}, file)
    return path


@contextlib.contextmanager
def renewed(lease: pathlib.Path, every_s: float = _RENEW_S) -> Iterator[None]:
    """Says again and again that its holder is alive, while the work inside goes on.

    Beside the work: a shard whose items are done together, such as 32 pictures of an atlas, takes
    many minutes without a word.

    Args:
        lease: which.
        every_s: seconds between two times.
    """
    over = threading.Event()

    def renew() -> None:
        while not over.wait(every_s):
            # Taken over, or its disk is away for a moment: the work is done all the same.
            with contextlib.suppress(OSError):
                os.utime(lease)

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def release(lease: pathlib.Path) -> None:
    """Gives a lease back."""
    lease.unlink(missing_ok=True)


def _dead(path: pathlib.Path, stale_s: float) -> bool:
    try:
        age = time.time() - path.stat().st_mtime
        found = json.loads(files.read_bytes(path, str(path), 4096))
        host, process = str(found["host"]), int(found["process"])
    except FileNotFoundError:
        return False  # Given back this moment: its shard is done, or the next round has it.
    except (ValueError, KeyError, TypeError):
        # Its process was killed before it could write, or is about to write.
        return age > 1 if path.exists() else False
    if age > stale_s:
        return True
    return host == socket.gethostname() and not _alive(process)


def _alive(process: int) -> bool:
    if os.name == "nt":  # There, signal 0 ends a process; its lease grows old.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
