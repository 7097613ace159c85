"""Bad input of every kind to every app: one line that names it, no exit code 0, nothing left."""

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import zlib

from apps.benchmarks import refusal_inputs
from tfvis.errors import printable

# What an app says of good input too, bars among it.
_HARMLESS = re.compile(r"Starting TensorFlow|Note:|Preprocessing|.*%\||\s*$")
# A person waits this long for a refusal; no refusal needs so much memory.
MOST_SECONDS, MOST_BYTES = 60, 3 * 2**30
_NETWORKED = (
    "attend", "caricature", "classify", "deconv", "invert", "maximize", "reconstruct", "stylize",
    "sweep", "texture", "train", "demo",
)  # fmt: skip
# The flag of each app that names a picture, and so on; an app without one is not named.
_FLAGS = {
    "picture": {
        "attend": "image", "caricature": "image", "classify": "image", "invert": "image",
        "localize": "image", "reconstruct": "image", "stylize": "content", "sweep": "style",
        "texture": "style", "demo": "image", "tag": "image",
    },
    "folder": {
        "attend": "image", "classify": "image", "deconv": "images", "maximize": "reference_images",
    },
    "table": {"localize": "ground_truth", "evaluate": "data", "train": "data"},
    "names": {"classify": "labels", "deconv": "labels", "maximize": "labels", "tag": "tags"},
    "data": {"train": "data", "evaluate": "data"},
    "checkpoint": {
        "classify": "checkpoint", "localize": "checkpoint", "evaluate": "checkpoint",
        "attend": "network", "train": "init",
    },
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Case:
    """A command that is to be refused.

    Attributes:
        app: its name.
        flags: {flag: value}; True is --flag.
        bad: the flag at fault.
    """

    app: str
    flags: dict
    bad: str

    def command(self, workdir: pathlib.Path) -> list[str]:
        """Returns what is run; results would go to `workdir`."""
        flags = {"output": f"{workdir}/x.keras"} if self.app == "convert" else {"workdir": workdir}
        given = [f"--{flag}={value}" for flag, value in (flags | self.flags).items()]
        return [sys.executable, "-m", f"apps.{self.app}", *given]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a case: `faults` is empty where it was refused as it should be."""

    case: Case
    faults: tuple[str, ...]
    line: str
    seconds: float
    peak: int


def cases(files: dict[str, list[pathlib.Path]]) -> list[Case]:
    """Returns the cases, in an order that mixes apps and kinds.

    Args:
        files: of `refusal_inputs.make`.
    """
    picture, model, data, tags = files["good"]
    base = {
        app: {"network": model} for app in _NETWORKED
    } | {
        "convert": {"network": "vgg_cnn_s", "caffemodel": "random"}, "evaluate": {
            "checkpoint": "pacs_vgg16", "data": data}, "localize": {"image": picture},
        "tag": {"image": picture, "weights": "random", "tags": tags},
    }  # fmt: skip
    base["train"] |= {"data": data}
    base["deconv"] |= {"images": data, "units": "conv1:0"}
    base["maximize"] |= {"units": "conv1:0"}
    found = []

    def add(app: str, flag: str, value, **more) -> None:
        found.append(Case(app, base[app] | more | {flag: value}, flag))

    for kind, apps in _FLAGS.items():
        for number, (app, flag) in enumerate(apps.items()):
            # Names of classes are read where a class is asked for by name.
            more = {"units": "logit:a"} if flag == "labels" and app != "classify" else {}
            # Every app gets every word that is no path, and its share of the bad files.
            for word in refusal_inputs.words():
                add(app, flag, word, **more)
            for path in files[kind][number % 2 :: 2] if len(apps) > 2 else files[kind]:
                add(app, flag, path, **more)
    for number, app in enumerate(_NETWORKED):
        for path in files["model"][number % 4 :: 4]:
            add(app, "network", path)
        for path in files["prototxt"][number % 6 :: 6]:
            add(app, "network", path, weights="random")
        for path in files["weights"][number % 6 :: 6]:
            add(app, "weights", path)
        for word in refusal_inputs.words(".keras")[number % 3 :: 3]:
            add(app, "network", word)
        add(app, "network", "no_such_network")
        add(app, "preprocessing", "nonsense")
    for path in files["prototxt"]:
        found.append(Case("convert", {"prototxt": path, "caffemodel": "random"}, "prototxt"))
    for path in files["caffemodel"]:
        add("convert", "caffemodel", path)
        add("convert", "mean", path)
    for app, flag in (
        ("invert", "alpha"), ("invert", "stop"), ("maximize", "strength"), ("caricature", "rate"),
        ("stylize", "ratio"), ("texture", "tv_weight"), ("train", "rate"), ("tag", "threshold"),
        ("sweep", "style_scale"), ("localize", "threshold"),
    ):  # fmt: skip
        for value in ("nan", "-inf", "1e999", "-1", "much", ""):
            add(app, flag, value)
    for app, flag, value in (
        ("invert", "layers", "conv9"), ("invert", "layers", ","), ("invert", "size", "0"),
        ("invert", "size", "99999999999"), ("invert", "mask_channels", "9-2"),
        ("invert", "mask_window", "1,2"), ("invert", "steps", "0"), ("invert", "seed", "-1"),
        ("maximize", "units", "conv1:99"), ("maximize", "units", "logit:zebra"),
        ("maximize", "units", "conv1:1@x"), ("maximize", "units", refusal_inputs.ESCAPE),
        ("maximize", "units", "conv1:/nowhere.npy"), ("caricature", "layers", "all,"),
        ("caricature", "crop", "up"), ("deconv", "top", "0"), ("deconv", "method", "magic"),
        ("deconv", "units", "conv1"), ("stylize", "style", "/nowhere.jpg"),
        ("stylize", "style_weights", "nan,1"), ("stylize", "content_layers", "zzz"),
        ("stylize", "memory", "much"), ("stylize", "style_mask", "/nowhere.png"),
        ("texture", "shape", "1x"), ("texture", "layers", "zzz"), ("sweep", "vary", "nothing"),
        ("sweep", "values", "1;;2"), ("train", "shares", "1,1"), ("train", "shares", "nan,1,1"),
        ("train", "cut", "zzz"), ("train", "adapt_to", "/nowhere"), ("train", "epochs", "-3"),
        ("train", "cache", "/dev/null/x"), ("attend", "class", "zebra"), ("attend", "size", "4"),
        ("localize", "class", "zebra"), ("localize", "map", "cam2"), ("localize", "scales", "0"),
        ("evaluate", "part", "most"), ("classify", "top", "0"), ("tag", "rule", "f9"),
        ("reconstruct", "what", "nothing"), ("reconstruct", "size", "-1"),
        ("demo", "layers", "zzz"), ("demo", "classifier", "/nowhere"),
        ("convert", "output", "/dev/null/x.keras"), ("convert", "output", "x.txt"),
        ("benchmark", "table", "nothing"),
    ):  # fmt: skip
        base.setdefault(app, {})
        add(app, flag, value)
    for app in (*_NETWORKED, "evaluate", "localize", "tag"):
        add(app, "workdir", "/dev/null/x")
        add(app, "workdir", "~nosuchuser/x")
        add(app, "no_such_flag", "1")
    # Neighbours differ, so that a sample from the front is one of everything.
    return sorted(found, key=_place)


def _place(case: Case) -> int:
    """Returns a number that is the same in every process and every folder."""
    names = [pathlib.Path(str(value)).name for value in case.flags.values()]
    return zlib.crc32(repr((case.app, case.bad, names)).encode())


def outcome(case: Case, workdir: pathlib.Path) -> Outcome:
    """Runs a case and says what was not as it should be.

    Args:
        case: to run.
        workdir: not there yet; removed afterwards.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        case.command(workdir), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True, preexec_fn=_bound,
    )  # fmt: skip
    late = threading.Timer(MOST_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    late.start()
    with concurrent.futures.ThreadPoolExecutor(2) as readers:
        streams = [readers.submit(stream.read) for stream in (process.stdout, process.stderr)]
        _, status, used = os.wait4(process.pid, 0)
        out, err = (stream.result().decode("utf-8", "replace") for stream in streams)
    late.cancel()
    seconds = time.perf_counter() - began
    process.returncode = code = os.waitstatus_to_exitcode(status)
    lines = [line for line in err.splitlines() if not _HARMLESS.match(line)]
    bad = printable(str(case.flags.get(case.bad, "")))
    named = any(word in err for word in (case.bad, pathlib.Path(bad).name[:40] or "--") if word)
    left = [path for path in workdir.rglob("*") if path.is_file()] if workdir.is_dir() else []
    peak = used.ru_maxrss * 1024
    faults = {
        "accepted": code == 0,
        f"ended by signal {-code}": code < 0,
        "a traceback": "Traceback" in err,
        f"{len(lines)} lines": len(lines) != 1,
        "not named": not named,
        "control characters": bool(re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", err + out)),
        f"left {', '.join(path.name for path in left[:3])}": bool(left),
        f"{seconds:.0f} s": seconds > MOST_SECONDS,
        f"{peak / 2**30:.1f} GiB": peak > MOST_BYTES,
    }
    shutil.rmtree(workdir, ignore_errors=True)
    line = lines[-1] if lines else ""
    return Outcome(
        case, tuple(name for name, is_so in faults.items() if is_so), line, seconds, peak
    )


def table_refusals(workdir: pathlib.Path, count: int | None = None) -> list[Outcome]:
    """Prints every case that is not refused as it should be, and how many are.

    Args:
        workdir: for the bad files and what the apps leave.
        count: so many of the cases; None is all.
    """
    found = cases(refusal_inputs.make(workdir / "inputs"))[:count]
    bad, outcomes = 0, []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        places = [workdir / f"case-{number}" for number in range(len(found))]
        for done in workers.map(outcome, found, places):
            outcomes.append(done)
            if done.faults:
                bad += 1
                words = " ".join(f"--{f}={v}"[:90] for f, v in done.case.flags.items())
                print(f"{done.case.app} {words!a}\n    {'; '.join(done.faults)}")
                print(f"    {ascii(done.line)[:200]}", flush=True)
    slowest = max(outcomes, key=lambda each: each.seconds)
    largest = max(outcomes, key=lambda each: each.peak)
    print(f"{len(outcomes)} bad inputs, {bad} not refused in one line that names them")
    print(f"slowest {slowest.seconds:.0f} s, largest {largest.peak / 2**30:.1f} GiB")
    return outcomes


def _bound() -> None:
    """Keeps a case that would take all memory from taking the machine's."""
    most = 12 * 2**30
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
