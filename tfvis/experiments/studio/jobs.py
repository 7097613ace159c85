"""Long work, one thing at a time for everybody: a line, in which each sees how many are before."""

import dataclasses
import logging
import threading
from collections.abc import Callable, Iterator

from tfvis.errors import InputError

# More would wait for hours.
_MOST = 12
WAITING, RUNNING, DONE, STOPPED, FAILED = "waiting", "running", "done", "stopped", "failed"


@dataclasses.dataclass(eq=False)
class Job:
    """Work of one person.

    Attributes:
        owner: whose; each has one at a time.
        kind: what is done.
        work: makes a generator, which is to end soon once what it is given says that it is
            stopped; each thing it yields is the latest.
        state: one of the words above.
        latest: what it yielded last, or None.
        number: how often it has yielded.
        said: why it failed.
    """

    owner: str
    kind: str
    work: Callable[[Callable[[], bool]], Iterator]
    state: str = WAITING
    latest: object = None
    number: int = 0
    said: str = ""
    stopping: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self.state in (DONE, STOPPED, FAILED)


class Line:
    """Jobs in the order they came, done by one thread."""

    def __init__(self):
        self._jobs: list[Job] = []
        self._last: dict[str, Job] = {}
        self._changed = threading.Condition()
        self._thread = None

    def submit(self, owner: str, kind: str, work: Callable[..., Iterator]) -> Job:
        """Puts work into the line; what the same person had there is stopped.

        Raises:
            InputError: the line is too long.
        """
        self.stop(owner)
        with self._changed:
            if len(self._jobs) >= _MOST:
                raise InputError("Many pictures are being made. Try again in some minutes.")
            job = self._last[owner] = Job(owner, kind, work)
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="studio", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return job

    def of(self, owner: str) -> Job | None:
        """Returns the last job of a person, ended or not."""
        with self._changed:
            return self._last.get(owner)

    def before(self, job: Job) -> int:
        """Returns how many others come first."""
        with self._changed:
            return self._jobs.index(job) if job in self._jobs else 0

    def stop(self, owner: str) -> None:
        """Has the job of a person end where it is; what it made last stays."""
        with self._changed:
            job = self._last.get(owner)
            if job is None or job.ended:
                return
            job.stopping = True
            if job.state == WAITING:
                job.state = STOPPED
                self._jobs.remove(job)
            self._changed.notify_all()

    def forget(self, owner: str) -> None:
        """Drops what is known of a person's ended job."""
        with self._changed:
            job = self._last.get(owner)
            if job is not None and job.ended:
                del self._last[owner]

    def wait(self, job: Job, seen: int, seconds: float) -> None:
        """Waits until a job has yielded more than `seen` times, has ended, or time is over."""
        with self._changed:
            self._changed.wait_for(lambda: job.number > seen or job.ended, seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs)
                job = self._jobs[0]
                job.state = RUNNING
                self._changed.notify_all()
            state, said = self._run(job)
            with self._changed:
                job.state, job.said = state, said
                self._jobs.remove(job)
                self._changed.notify_all()

    def _run(self, job: Job) -> tuple[str, str]:
        """Does a job; returns how it ended, and why if that is badly."""
        try:
            for latest in job.work(lambda: job.stopping):
                with self._changed:
                    job.latest, job.number = latest, job.number + 1
                    self._changed.notify_all()
        except InputError as error:
            return FAILED, str(error)
        except MemoryError:
            return FAILED, "The memory of this machine does not do. Choose a smaller size."
        except Exception as error:
            # What nobody expects is the end of one job, not of the page.
            logging.getLogger("tfvis").exception("studio: %s failed", job.kind)
            if type(error).__name__ == "ResourceExhaustedError":
                return FAILED, "The memory of this machine does not do. Choose a smaller size."
            return FAILED, "Something went wrong here; the terminal says what."
        return STOPPED if job.stopping else DONE, ""
