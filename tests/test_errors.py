"""Messages name arguments, and nothing that a message quotes is taken for one."""

import ast
import copy
import pathlib
import pickle
import re

import tensorflow as tf

from tfvis import errors
from tfvis.errors import InputError, Text, arg

_ROOT = pathlib.Path(errors.__file__).parent
# What the library runs itself, and what is to be typed next, of another app.
_COMMANDS = {
    "experiments/demo.py": "--logdir",
    "networks/files/package_index.py": "--",
    "experiments/training.py": "(--checkpoint=",
    "experiments/fast_style_training.py": "(stylize --fast=",
}


def _flag(name: str) -> str:
    return f"--{name}"


class ArgumentTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.error = InputError(f"{arg('steps')}=-1: expected 0 or more, or {arg('fine_steps')}.")

    def test_a_person_reads_the_argument_and_an_app_spells_it(self):
        self.assertEqual(str(self.error), "steps=-1: expected 0 or more, or fine_steps.")
        self.assertEqual(
            self.error.args[0].spelled(_flag), "--steps=-1: expected 0 or more, or --fine_steps."
        )

    def test_copies_and_other_processes_keep_it(self):
        spelled = self.error.args[0].spelled(_flag)
        for one in (pickle.loads(pickle.dumps(self.error)), copy.deepcopy(self.error)):
            self.assertEqual(one.args[0].spelled(_flag), spelled)
            self.assertEqual(str(one), str(self.error))

    def test_a_message_around_another_keeps_its_arguments(self):
        around = InputError(f"{arg('network')}=net: {errors.marked(self.error)}")
        self.assertStartsWith(str(around), "network=net: steps=-1: ")
        self.assertStartsWith(around.args[0].spelled(_flag), "--network=net: --steps=-1: ")
        # Without it they are words, and nothing of the marks is seen.
        self.assertEqual(str(InputError(f"net: {self.error}")), f"net: {self.error}")
        self.assertEqual(errors.marked(ValueError("no steps")), "no steps")

    def test_what_is_quoted_is_no_argument(self):
        for word in ("steps", "--steps", "\ufdd0steps\ufdd1", "`steps`", "{steps}", "%s"):
            error = InputError(f"{arg('layer')}={word}: no such layer")
            self.assertEqual(error.args[0].spelled(str.upper), f"LAYER={word}: no such layer")
        # A name copied out of a message is no mark either.
        again = Text(f"{self.error} {self.error!r}")
        self.assertEqual(again.spelled(_flag), again)

    def test_names_are_made_harmless_too(self):
        self.assertEqual(InputError(f"{arg(chr(27))}: no").args[0].spelled(_flag), r"--\x1b: no")


class FlagsTest(tf.test.TestCase):
    def test_the_library_speaks_of_no_flags(self):
        found = []
        for path in sorted(_ROOT.rglob("*.py")):
            name = path.relative_to(_ROOT).as_posix()
            if name.startswith("apps/"):  # As in a wheel.
                continue
            code, allowed = path.read_text("utf-8"), _COMMANDS.get(name)
            for line, text in _texts(ast.parse(code)) if "--" in code else ():
                if re.search(r"(?<![\w-])--[a-z]", text) and not (allowed and allowed in text):
                    found.append(f"{name}:{line}: {text}")
        self.assertEqual(found, [])

    def test_such_words_are_found(self):
        for code, count in (
            ('raise InputError(f"--{name}={value}: no")', 1), ('say("Lower --rate")', 1),
            ('f"{a}: use --{b}"', 1), ('f"{part}--{other}"', 0), ('"""Of --layers."""', 0),
            ('name.replace("/", "--")', 0),
        ):  # fmt: skip
            texts = [text for _, text in _texts(ast.parse(code))]
            hits = [text for text in texts if re.search(r"(?<![\w-])--[a-z]", text)]
            self.assertLen(hits, count, code)


def _texts(tree: ast.Module):
    """Yields (line, text) of what strings say, a gap in one as the letter x; no docstrings."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            parts = (part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
            yield node.lineno, "".join(parts)
        elif isinstance(getattr(node, "value", None), str) and id(node) not in skipped:
            yield node.lineno, node.value
