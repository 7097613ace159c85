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
import threading
import time

from tfvis.errors import printable

from . import refusal_cases, refusal_inputs
from .refusal_cases import Case

# What an app says of good input too, bars among it.
_HARMLESS = re.compile(r"Starting TensorFlow|Note:|Preprocessing|.*%\||\s*$")
# A person waits this long for a refusal; no refusal needs so much memory.
MOST_SECONDS, MOST_BYTES = 60, 3 * 2**30


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a case: `faults` is empty where it was refused as it should be."""

    case: Case
    faults: tuple[str, ...]
    line: str
    seconds: float
    peak: int


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
    named = _names(err, case)
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
    found = refusal_cases.cases(refusal_inputs.make(workdir / "inputs"))[:count]
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


def _names(err: str, case: Case) -> bool:
    """Tells whether a message has a flag that was given, or the name of its file."""
    value = printable(str(case.flags.get(case.bad, "")))
    flags = rf"(--|flag ')({'|'.join(map(re.escape, case.flags))})\b"
    return bool(re.search(flags, err)) or ("/" in value and value in err)


def _bound() -> None:
    """Keeps a case that would take all memory from taking the machine's."""
    most = 12 * 2**30
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
