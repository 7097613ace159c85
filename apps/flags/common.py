"""What every app shares: flags of one meaning, readable help, one-line errors.

TensorFlow is not imported here: `--help` and a wrong flag must answer at once.
"""

import logging
import math
import os
import re
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable

import absl.app
from absl import flags

from tfvis.errors import InputError
from tfvis.experiments import workdirs

from . import paths, program, streams
from .arguments import flagged
from .streams import say as say
from .streams import tell as tell

# TensorFlow's start-up lines are not for the person running an app; 0 shows them.
_VERBOSE = os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"
_PACKAGE = __name__.rpartition(".")[0]
# Counters and sizes in the graphs are int32.
_LARGEST = 2**31 - 1


def run(main: Callable, app: str) -> None:
    """Runs an app: parses flags, calls main, tells what came of it; bad input is one line.

    Exit codes: 0 done, 1 bad input, 2 bad flags, 130 interrupted, 143 terminated.

    Args:
        main: reads flags and calls an experiment; returns its `Outcome`, or tells all itself.
        app: its name, for messages.
    """
    name = program.name(app)

    def parse(argv):
        if {"--help", "-help", "-h", "--h", "--helpshort"} & set(argv[1:]):
            try:
                streams.write(help_text(name) + "\n")
            except InputError as error:
                _stop(f"{name}: {flagged(error)}", 1)
            sys.exit(0)
        # absl's spelling of a switched-off flag has no hyphen; people's has.
        argv = [re.sub(r"^--no-(\w+)$", r"--no\1", word) for word in argv]
        try:
            rest = flags.FLAGS(argv)
            _check_numbers()
        except (flags.Error, InputError) as error:
            _stop(f"{name}: {' '.join(_plain(flagged(error)).split())}", 2)
        if len(rest) > 1:
            _stop(
                f"{name}: unexpected argument {rest[1]!r}; every argument is a "
                "--flag=value (see --help).",
                2,
            )
        return rest

    def guarded(argv):
        del argv
        signal.signal(signal.SIGTERM, _terminate)
        try:
            paths.check(own_flags())
            done = main()
            if done is not None:
                _tell_all(done)
        except InputError as error:
            _stop(f"{name}: {' '.join(flagged(error).split())}", 1)
        except KeyboardInterrupt as error:
            code = 143 if isinstance(error, _Terminated) else 130
            _stop(f"\n{name}: interrupted. What is finished stays; the same command goes on.", code)
        except OSError as error:
            # A disk that fills, a folder that goes away: nothing that the program did.
            where = f"{error.filename}: " if error.filename else ""
            _stop(f"{name}: {where}{error.strerror or error}.", 1)
        except Exception as error:
            # TensorFlow has a word of its own for it, whose class must not be imported for this.
            word = type(error).__name__
            if not isinstance(error, MemoryError) and word != "ResourceExhaustedError":
                raise
            _stop(f"{name}: out of memory. Use a smaller --size, or ask for fewer pictures.", 1)

    streams.prepare()
    _show_messages()
    absl.app.run(guarded, flags_parser=parse)


class _Said(logging.Handler):
    """What an experiment says, as lines on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        words = tuple(map(flagged, record.args or ()))
        streams.say(record.msg % words if words else record.getMessage())


def _show_messages() -> None:
    log = logging.getLogger("tfvis")
    log.setLevel(logging.INFO)
    log.propagate = False
    if not any(isinstance(handler, _Said) for handler in log.handlers):
        log.addHandler(_Said())


def _plain(said: str) -> str:
    """Returns what absl says of a flag's value, where it says it in Python, in words."""
    for pattern, words in (
        (
            r"flag --(\w+)=None: Flag --\w+ must have a value other than None\.",
            r"--\1: must be given; see --help.",
        ),
        (r"\('Non-boolean argument to boolean flag', .*\)", "expected true or false."),
        (r"invalid literal for int\(\) with base 10: .*", "expected a whole number."),
        (r"could not convert string to float: .*", "expected a number."),
    ):
        said = re.sub(pattern, words, said, flags=re.DOTALL)
    return said


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which then tidies up as Ctrl-C does."""


def _terminate(number, frame) -> None:
    raise _Terminated


def _stop(message: str, code: int) -> None:
    streams.say(message)
    sys.exit(code)


def _check_numbers() -> None:
    """Raises InputError where a flag has a number that no arithmetic here can hold."""
    for flag in own_flags():
        values = flag.value if isinstance(flag.value, list) else [flag.value]
        for value in values:
            if isinstance(value, float) and not math.isfinite(value):
                raise InputError(f"--{flag.name}={value}: expected a finite number.")
            if isinstance(value, int) and abs(value) > _LARGEST:
                raise InputError(f"--{flag.name}={value}: expected at most {_LARGEST}.")


def help_text(name: str) -> str:
    """Returns the app's docstring and its flags, one or two lines each."""
    main = sys.modules["__main__"]
    lines = [program.said((main.__doc__ or "").strip()), "", f"Flags of {name}:"]
    for flag in own_flags():
        default = "" if flag.default in (None, "", []) else f"={flag.default}"
        text = re.sub(r"\s+", " ", flag.help or "")
        lines += [f"  --{flag.name}{default}", f"      {text}"]
    return "\n".join(lines)


def own_flags() -> list[flags.Flag]:
    """Returns the flags of the running app: those shared by all first, its own, others."""
    spec = sys.modules["__main__"].__spec__
    own = [sys.argv[0], "__main__", spec.name if spec else ""]
    # The shared ones first: they are the same, and in the same place, in every app.
    names = [f"{_PACKAGE}.{name}" for name in ("pictures", "networks", "classifier")]
    names += [__name__, *own]
    names += [f"{_PACKAGE}.{name}" for name in ("style", "units", "descent")]
    found = {}
    for name in names:
        for flag in flags.FLAGS.get_flags_for_module(name):
            found.setdefault(flag.name, flag)
    return list(found.values())


def _tell_all(done) -> None:
    """Tells what an experiment's `Outcome` says: its lines, and the page that shows them."""
    for line in done.lines:
        tell(line)
    if done.sheet is not None:
        tell(f"All in one picture: {done.sheet}")
    if done.index is not None:
        tell(f"Open {done.index.resolve()} in a browser.")


def define_workdir(default: str) -> flags.FlagHolder:
    """Defines --workdir."""
    return paths.define(
        "workdir",
        default,
        paths.made,
        "Folder for all results, and index.html, a page of them; made if missing.",
    )


def define_precision(
    what: str = "Arithmetic of the network; auto takes bfloat16 where the hardware computes it.",
) -> flags.FlagHolder:
    """Defines --precision."""
    return flags.DEFINE_enum("precision", "auto", ["auto", "float32", "bfloat16"], what)


def define_run(workdir: str) -> tuple[flags.FlagHolder, ...]:
    """Defines --workdir, of this default, --precision, --seed and --jit."""
    return (
        define_workdir(workdir),
        define_precision(),
        flags.DEFINE_integer(
            "seed",
            0,
            "Seed of the noise; the same seed gives the same picture.",
            lower_bound=0,
            upper_bound=2**31 - 1,
        ),
        flags.DEFINE_enum(
            "jit",
            "auto",
            ["auto", "on", "off"],
            "Compile with XLA; auto: never on a CPU, on a GPU if it is faster there.",
        ),
    )


def start_tensorflow() -> None:
    """Imports TensorFlow and looks for devices, without its start-up chatter.

    Some of it is written before any log level is read, so the stream itself is put
    aside for these seconds; if the import fails, it is shown.
    """
    from tfvis.networks import keras_settings

    keras_settings.check_file()
    say("Starting TensorFlow ...")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        if not _VERBOSE:
            os.dup2(aside.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices("GPU")
            keras_settings.set_up()
            if not _VERBOSE:  # It warns where one process compiles several loops, as runs do.
                tf.get_logger().setLevel("ERROR")
        except BaseException:
            aside.seek(0)
            os.write(kept, aside.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def start(workdir: flags.FlagHolder, *others: flags.FlagHolder) -> dict:
    """Claims the folder of the results and starts TensorFlow, which takes seconds.

    Args:
        workdir: of --workdir.
        others: whose flags are named as the arguments of an experiment are.

    Returns:
        {argument: value} of an experiment: of these flags, and `arguments`.

    Raises:
        InputError: it cannot be written there, or another run is at work there.
    """
    found = {"workdir": workdirs.claimed(workdir.value, command())}
    start_tensorflow()
    return found | named(*others) | {"arguments": arguments()}


def named(*holders: flags.FlagHolder) -> dict:
    """Returns {flag: value}, of flags that are named as the arguments of an experiment are."""
    return {holder.name: holder.value for holder in holders}


def arguments() -> dict:
    """Returns {flag: value} of the running app's own flags, for its manifest."""
    return {flag.name: flag.value for flag in own_flags()}


def command() -> str:
    """Returns what was typed to run the app: its flags that differ from their defaults."""
    given = [flag for flag in own_flags() if flag.value not in (None, flag.default)]
    app = sys.modules["__main__"].__spec__.name.rpartition(".")[2]
    return f"{program.name(app)} {shlex.join(flag.serialize() for flag in given)}".rstrip()
