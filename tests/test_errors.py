"""Messages name arguments, and nothing that a message quotes is taken for one."""

import copy
import pickle

import tensorflow as tf

from tfvis import errors
from tfvis.errors import InputError, Text, arg


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
