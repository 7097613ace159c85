"""Table of reading Caffe's files: time and memory beside those of the bytes alone."""

import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable

import numpy as np

from tfvis.networks.caffe import caffemodel, protobuf_wire, schema

from .timing import medians

# CaffeNet's layers, the net that most .caffemodel files are of: 61 million weights.
_SHAPES = {
    "conv1": (96, 3, 11, 11),
    "conv2": (256, 48, 5, 5),
    "conv3": (384, 256, 3, 3),
    "conv4": (384, 192, 3, 3),
    "conv5": (256, 192, 3, 3),
    "fc6": (4096, 9216),
    "fc7": (4096, 4096),
    "fc8": (1000, 4096),
}
# What reading may take: times the time of the bytes, times the size of the file.
_MOST_TIME, _MOST_MEMORY = 3.0, 2.2
# The ways Caffe itself writes in, for which that holds; the others are other programs'.
_AS_CAFFE = ("packed", "diff", "double")
# Prints by how many KiB what is resident grows at most; {use} is done with the model.
_PROBE = """
import sys
from tfvis.networks.caffe import reading
def status(word):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(word))
# Writing 5 sets the peak back to what is resident now (Linux, proc_pid_clear_refs).
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
before = status("VmRSS:")
model = reading.read_model(sys.argv[1])
{use}
print(status("VmHWM:") - before)
"""
_USE = "total = sum(float(array.sum()) for arrays in model.blobs.values() for array in arrays)"


def table_caffe(rounds: int) -> None:
    """Prints what reading a .caffemodel of 61 million weights takes, in each way to write it.

    Args:
        rounds: behind each median.
    """
    print(f"A .caffemodel of CaffeNet's size; medians of {rounds}, memory at the peak")
    print(f"{'numbers':<10} {'MB':>5} {'bytes ms':>9} {'read ms':>8} {'ratio':>6} {'memory':>7}")
    ways = {
        "packed": _packed,
        "diff": _diff,
        "chunked": _chunked,
        "loose": _loose,
        "double": _double,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "caffenet.caffemodel"
        for way, write in ways.items():
            _write(path, write)
            size = path.stat().st_size
            taken = medians(
                {
                    "bytes": lambda: np.fromfile(path, np.uint8),
                    "read": lambda: caffemodel.read_model(path),
                },
                rounds,
            )
            a, b = taken["bytes"], taken["read"]
            memory, used = (_growth(path, use) / size for use in ("", _USE))
            high = b / a > _MOST_TIME or max(memory, used) > _MOST_MEMORY
            verdict = "  ABOVE" if high and way in _AS_CAFFE else ""
            print(
                f"{way:<10} {size / 1e6:5.0f} {1e3 * a:9.1f} {1e3 * b:8.1f} {b / a:6.2f} "
                f"{memory:6.2f}x; {used:.2f}x with every weight used{verdict}",
                flush=True,
            )


def _growth(path: pathlib.Path, use: str) -> int:
    """Returns by how many bytes a process of its own grows at most."""
    command = [sys.executable, "-c", _PROBE.format(use=use), str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return 1024 * int(done.stdout)


def _write(path: pathlib.Path, write: Callable[[np.ndarray], bytes]) -> None:
    """Writes layers of random weights, their numbers as `write` encodes them."""
    random = np.random.default_rng(0)
    with open(path, "wb") as file:
        for name, shape in _SHAPES.items():
            layer = schema.LayerParameter(name=name, type="Convolution").SerializeToString()
            for dims in (shape, shape[:1]):
                numbers = write(random.standard_normal(dims, np.float32).ravel())
                blob = schema.BlobProto(shape={"dim": dims}).SerializeToString()
                layer += protobuf_wire.field(7, blob + numbers)
            file.write(protobuf_wire.field(100, layer))


def _packed(values: np.ndarray) -> bytes:
    return protobuf_wire.field(5, values.tobytes())


def _diff(values: np.ndarray) -> bytes:
    return protobuf_wire.field(5, values.tobytes()) + protobuf_wire.field(6, values.tobytes())


def _chunked(values: np.ndarray) -> bytes:
    return b"".join(_packed(values[i : i + 2**18]) for i in range(0, len(values), 2**18))


def _loose(values: np.ndarray) -> bytes:
    """Each number has a tag of its own: field 5, four bytes."""
    return np.insert(values.view(np.uint8).reshape(-1, 4), 0, 5 << 3 | 5, axis=1).tobytes()


def _double(values: np.ndarray) -> bytes:
    return protobuf_wire.field(8, values.astype(np.float64).tobytes())
