"""The line of long work."""

import threading

import tensorflow as tf

from tfvis.errors import InputError
from tfvis.experiments.studio import jobs


class LineTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.line, self.go = jobs.Line(), threading.Event()
        self.addCleanup(self.go.set)

    def _ended(self, job) -> str:
        self.line.wait(job, 10**9, 60)
        return job.state

    def _slow(self, stopped):
        yield 1
        while not stopped() and not self.go.wait(0.01):
            pass
        yield 2

    def test_one_at_a_time_and_each_sees_how_many_are_before(self):
        first = self.line.submit("a", "painting", self._slow)
        second = self.line.submit("b", "painting", lambda stopped: iter("x"))
        self.line.wait(first, 0, 60)
        self.assertEqual((first.state, first.latest), (jobs.RUNNING, 1))
        self.assertEqual((second.state, self.line.before(second)), (jobs.WAITING, 1))
        self.go.set()
        self.assertEqual([self._ended(first), self._ended(second)], [jobs.DONE] * 2)
        self.assertEqual((first.latest, second.latest), (2, "x"))

    def test_stopping_keeps_what_there_is_and_a_new_job_stops_the_old(self):
        running = self.line.submit("a", "painting", self._slow)
        waiting = self.line.submit("b", "painting", self._slow)
        self.line.wait(running, 0, 60)
        self.line.stop("b")
        self.assertEqual((waiting.state, waiting.latest), (jobs.STOPPED, None))
        again = self.line.submit("a", "painting", lambda stopped: iter("y"))
        self.assertEqual((self._ended(running), running.latest), (jobs.STOPPED, 2))
        self.assertEqual(self._ended(again), jobs.DONE)
        self.assertIs(self.line.of("a"), again)

    def test_what_fails_says_why_and_the_line_goes_on(self):
        def refused(stopped):
            yield 1
            raise InputError("too large")

        def broken(stopped):
            yield 1
            raise RuntimeError("a secret of the program")

        with self.assertLogs("tfvis", "ERROR"):
            failed = [self.line.submit(str(k), "x", f) for k, f in enumerate((refused, broken))]
            self.assertEqual([self._ended(one) for one in failed], [jobs.FAILED] * 2)
        self.assertEqual(failed[0].said, "too large")
        self.assertNotIn("secret", failed[1].said)
        self.assertEqual(self._ended(self.line.submit("c", "x", lambda s: iter("z"))), jobs.DONE)

    def test_a_line_has_an_end(self):
        self.line.submit("first", "x", self._slow)
        with self.assertRaisesRegex(InputError, "Try again"):
            for k in range(50):
                self.line.submit(str(k), "x", self._slow)


if __name__ == "__main__":
    tf.test.main()
