"""The server: one address of this machine, a cookie for each browser, and nobody's pictures but
their own.

Gradio brings the queue and the controls. Pictures go another way: each by its name out of the
folder of the browser's own session, so that no address of another's opens anything.
"""

import os
import pathlib
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable

from tfvis.errors import InputError, arg

# The page's own address, and none of the network's.
_HOST = "127.0.0.1"
# Files that were brought are read at once; what a broken connection left goes after so long.
_UPLOADS_S = 600
_SWEEP_S = 300
# Gradio's folders of files that were brought.
_UPLOAD = re.compile("[0-9a-f]{64}")
# Pages that are open keep connections open; they do not keep the server.
_GRACE_S = 2


def serve(
    workdir: pathlib.Path, port: int, fast, network: str, checkpoint: str, tell: Callable
) -> None:
    """Serves the page until the process is interrupted.

    Args:
        workdir: exists and is this process's.
        port: of this machine's own address.
        fast, network, checkpoint: see `tfvis.experiments.studio`.
        tell: says where the page is.

    Raises:
        InputError: another program has the port.
    """
    uploads = workdir.resolve() / "uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    _clear(uploads, 0)
    # Read when Gradio is imported.
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    import uvicorn

    from tfvis.experiments.studio.studio import Studio

    from . import web

    _check_free(port)
    studio = Studio(workdir / "sessions", uploads, fast, network, checkpoint)
    threading.Thread(target=studio.warm, name="warm", daemon=True).start()
    threading.Thread(target=_swept, args=(studio, uploads), daemon=True).start()
    app = web.application(studio)
    tell(f"Open http://{_HOST}:{port} in a browser; Ctrl-C ends it.")
    uvicorn.run(
        app, host=_HOST, port=port, log_level="warning", access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
    )  # fmt: skip


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise InputError(
                f"{arg('port')}={port}: another program is there ({error.strerror}). Choose "
                "another one."
            ) from error


def _swept(studio, uploads: pathlib.Path) -> None:
    """Removes what is old, now and then."""
    while True:
        time.sleep(_SWEEP_S)
        studio.sessions.sweep()
        _clear(uploads, _UPLOADS_S)


def _clear(uploads: pathlib.Path, seconds: float) -> None:
    """Removes what was brought so long ago, and nothing but that."""
    oldest = time.time() - seconds
    for path in uploads.iterdir():
        if _UPLOAD.fullmatch(path.name) and path.stat().st_mtime <= oldest:
            shutil.rmtree(path, ignore_errors=True)
