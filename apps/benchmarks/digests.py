"""Digests of all that small runs of every app write, so that code can be moved without a doubt.

    python -m apps.benchmarks.digests --root=CHECKOUT --out=before.txt
    python -m apps.benchmarks.digests --out=after.txt
    python -m apps.benchmarks.digests --compare before.txt after.txt

Lines of `--out` are a SHA-256 and NAME/FILE, the command's name and the file below its folder.
Each command is a process of its own that imports the project from --root, so that older
checkouts can be run by this file, as long as they have its flags. Of pictures, .npy and
pages the bytes are taken; of tables the cells, of .npz the arrays. Manifests and events
are left out, which hold times. Convolutions differ in their last bits with TF_ENABLE_ONEDNN_OPTS
and from one kind of CPU to another: compare what one machine made under one setting.
"""

import argparse
import concurrent.futures
import csv
import hashlib
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np

from . import digest_commands

_KINDS = (".png", ".gif", ".csv", ".npy", ".npz", ".html")
# Columns of tables that no two runs share: how long it took (results.csv of sweep).
_TIMES = ("seconds",)
# In place of a digest.
_FAILED = "failed".ljust(64, "-")
_HERE = pathlib.Path(__file__).resolve().parents[2]


def digest(path: pathlib.Path) -> str:
    """Returns the SHA-256, 64 hexadecimal digits, of what in a file is no time.

    Args:
        path: .npz is its arrays' names, types, shapes and numbers (the archive itself holds
            times); .csv its cells, but for columns of `_TIMES`; anything else its bytes.
    """
    found = hashlib.sha256()
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            for name in sorted(arrays.files):
                array = arrays[name]
                found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
                found.update(array.tobytes())
    elif path.suffix == ".csv":
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        kept = [k for k, name in enumerate(rows[0] if rows else ()) if name not in _TIMES]
        for row in rows:
            found.update(f"{[row[k] for k in kept]}\n".encode())
    else:
        found.update(path.read_bytes())
    return found.hexdigest()


def digests(root: pathlib.Path, folder: pathlib.Path, chosen: Sequence[str]) -> dict[str, str]:
    """Runs commands and returns {NAME/FILE: digest}; of one that failed, {NAME: `_FAILED`}.

    Args:
        root: checkout whose apps are run.
        folder: new, for the files the commands look at and those they write.
        chosen: names of commands; those they build on are run too.
    """
    folder.mkdir(parents=True)
    digest_commands.write_inputs(folder)
    commands = digest_commands.COMMANDS
    wanted = {*chosen, *(other for name in chosen for other in _before(commands[name]))}
    futures: dict[str, concurrent.futures.Future] = {}

    def run(name: str) -> dict[str, str]:
        for other in _before(commands[name]):
            futures[other].result()
        return _run(name, commands[name], root, folder)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        # Those that others build on come first, so that none waits for one that waits for it.
        for name in commands:
            if name in wanted:
                futures[name] = workers.submit(run, name)
        found = [future.result() for future in futures.values()]
    return {path: value for each in found for path, value in each.items()}


def compare(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Returns a line for each file that differs, is missing or new, and each command that failed.

    Args:
        before, after: what `digests` returned.
    """
    lines = []
    for path in sorted({*before, *after}):
        if _FAILED in (before.get(path), after.get(path)):
            lines.append(f"failed   {path}")
        elif path not in after:
            lines.append(f"missing  {path}")
        elif path not in before:
            lines.append(f"new      {path}")
        elif before[path] != after[path]:
            lines.append(f"differs  {path}")
    return lines


def _before(command: str) -> list[str]:
    """Returns the commands whose results a command looks at."""
    return re.findall(r"=out/([\w-]+)(?=\s|/|$)", command.partition("--output")[0])


def _run(name: str, command: str, root: pathlib.Path, folder: pathlib.Path) -> dict[str, str]:
    app, *flags = shlex.split(command)
    out = folder / "out" / name
    out.mkdir(parents=True)
    if app not in digest_commands.WITHOUT_PRECISION:
        flags.append("--precision=float32")
    if app not in digest_commands.WITHOUT_WORKDIR:
        flags.append(f"--workdir=out/{name}")
    home = str(folder / "home" / name)
    # One thread: sums are made in the same order whatever the machine has and does besides.
    environment = os.environ | {
        "PYTHONPATH": str(root), "TFVIS_HOME": home, "KERAS_HOME": home,
        "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "-1",
    }  # fmt: skip
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", f"apps.{app}", *flags],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        print(f"{name}: exit code {done.returncode}\n{done.stderr[-2000:]}", flush=True)
        return {name: _FAILED}
    files = sorted(path for path in out.rglob("*") if path.suffix in _KINDS)
    print(f"{name}: {len(files)} files, {time.perf_counter() - began:.0f} s", flush=True)
    return {f"{name}/{path.relative_to(out).as_posix()}": digest(path) for path in files}


def _read(path: pathlib.Path) -> dict[str, str]:
    lines = path.read_text("utf-8").splitlines()
    if not lines or not all(re.match(r"[\w-]{64}  \S", line) for line in lines):
        raise ValueError(f"{path}: holds no digests")
    return {line[66:]: line[:64] for line in lines}


def _matching(pattern: str) -> list[str]:
    found = [name for name in digest_commands.COMMANDS if re.search(pattern, name)]
    if not found:
        names = ", ".join(digest_commands.COMMANDS)
        raise ValueError(f"--only={pattern}: names none of {names}")
    return found


def main() -> int:
    """Runs or compares; returns 1 where a command failed or a file is not the same."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    file = pathlib.Path
    parser.add_argument("--root", type=file, default=_HERE, help="Checkout to run.")
    parser.add_argument("--out", type=file, help="File for the digests.")
    parser.add_argument("--folder", type=file, help="New folder, kept; else a temporary one.")
    parser.add_argument("--only", default="", help="Commands to run, as a regular expression.")
    parser.add_argument("--compare", type=file, nargs=2, help="Two files that --out has written.")
    given = parser.parse_args()
    try:
        if given.compare:
            before, after = map(_read, given.compare)
        chosen = _matching(given.only)
    except (OSError, ValueError, re.error) as error:
        parser.error(str(error))
    if given.compare:
        lines = compare(before, after)
        print("\n".join([*lines, f"{len(lines)} of {len({*before, *after})} are not the same"]))
        return int(bool(lines))
    # Before the minutes that it takes.
    if not given.out or not given.out.absolute().parent.is_dir():
        parser.error(f"--out={given.out}: name a file in a folder that is there; or --compare")
    if not (given.root / "apps").is_dir():
        parser.error(f"--root={given.root}: is no checkout of this project")
    if given.folder and given.folder.exists():
        parser.error(f"--folder={given.folder}: is there already; name a new one")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or pathlib.Path(temporary, "runs")
        found = digests(given.root.resolve(), folder.resolve(), chosen)
    lines = [f"{found[path]}  {path}\n" for path in sorted(found)]
    given.out.write_text("".join(lines), "utf-8")
    return int(_FAILED in found.values())


if __name__ == "__main__":
    sys.exit(main())
