"""The page of styles, without a page: a photograph, paintings, a wish; a preview; a painting."""

import collections
import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from tfvis import files, images
from tfvis.errors import InputError
from tfvis.experiments.studio import (
    fast_preview,
    gallery,
    optimizer_painting,
    pictures,
    wishes,
)
from tfvis.experiments.studio import sketch as sketches
from tfvis.experiments.studio.jobs import Job, Line
from tfvis.experiments.studio.opened_networks import Networks
from tfvis.experiments.studio.sessions import Session, Sessions
from tfvis.settings import given
from tfvis.style.fast import checkpoint_files

# Paintings of one's own, and pictures made, that are remembered of a person.
_OWN, _RESULTS = 8, 12
# A picture on its way is shown at most so often, and so many of them are kept meanwhile.
_SHOWN_EVERY_S, _LIVE = 1.0, 6
# What a page sends as a mask is a drawing of this many bytes at most.
MASK_BYTES = 4 << 20


@dataclasses.dataclass(frozen=True)
class Live:
    """What is known of a painting that is being made.

    Attributes:
        shown: name of its picture now, or "".
        share: of the work that is done.
        seconds_left: as measured so far, or None.
    """

    shown: str
    share: float
    seconds_left: float | None


class Styling:
    """What people do on the page of styles; each is known by the token of a browser.

    Args:
        sessions: of all.
        line: of long work.
        networks: that are opened once.
        fast: see `gallery.styles`.
    """

    def __init__(self, sessions: Sessions, line: Line, networks: Networks, fast: str | None):
        self.styles = gallery.styles(fast)
        self._sessions, self._line, self._networks = sessions, line, networks
        self._pace, self._one = optimizer_painting.Pace(), threading.Lock()

    def warm(self) -> None:
        """Opens what the first visitor would wait for, and measures how fast this machine is."""
        checkpoints = {one.checkpoint for one in self.styles.values() if one.checkpoint}
        for checkpoint in checkpoints:
            painter = gallery.painter(checkpoint)
            painter.paint(np.full((32, 32, 3), 128, np.float32))
        self._pace.measure(self._networks.style(), optimizer_painting.precision())
        grey = np.full((64, 96, 3), 128, np.float32)
        task = optimizer_painting.Task(grey, (grey,), (1.0,), None, wishes.Wish())
        next(sketches.paint(task, self._networks.sketcher()))

    def remembered(self, token: str) -> dict:
        """Returns what is remembered of a person, of JSON's types."""
        found = self._sessions.of(token).remembered()
        first = next(iter(self.styles))
        usual = {
            "photograph": None, "paintings": [], "chosen": {first: 1.0}, "mask": None,
            "wish": dataclasses.asdict(wishes.Wish()), "preview": None, "results": [],
        }  # fmt: skip
        return usual | found

    def photograph(self, token: str, path, name: str = "") -> dict:
        """Takes a photograph; returns what is remembered then.

        Raises:
            InputError: one sentence about the file.
        """
        kept = pictures.take(self._sessions.of(token), path, "photograph", name)
        return self._another(token, kept)

    def demo(self, token: str) -> dict:
        """Takes the demo photograph; returns what is remembered then."""
        kept = pictures.keep(self._sessions.of(token), images.demo(), "photograph")
        return self._another(token, kept)

    def _another(self, token: str, kept: pictures.Kept) -> dict:
        """Goes on with another photograph: mask and work are of the one before."""
        self.stop(token)
        return self._remember(token, photograph=dataclasses.asdict(kept), mask=None, preview=None)

    def bring_painting(self, token: str, path, name: str = "") -> dict:
        """Takes a painting of one's own, and chooses it alone.

        Raises:
            InputError: one sentence about the file.
        """
        session = self._sessions.of(token)
        kept = dataclasses.asdict(pictures.take(session, path, "painting", name))
        with session.lock:
            own = [*self.remembered(token)["paintings"], kept][-_OWN:]
            return self._remember(token, paintings=own, chosen={kept["file"]: 1.0})

    def choose(self, token: str, chosen: dict[str, float]) -> dict:
        """Chooses styles by their keys, with a weight each; returns what is remembered then.

        Raises:
            InputError: a key that is none, or a weight; more than four.
        """
        own = {one["file"] for one in self.remembered(token)["paintings"]}
        found = {}
        for key, weight in chosen.items():
            if key not in self.styles and key not in own:
                raise InputError("This painting is not here any more. Choose another one.")
            if not 0 < float(weight) <= 100:
                raise InputError("Weights of paintings are numbers above 0.")
            found[key] = float(weight)
        if len(found) > 4:
            raise InputError("Four paintings at most. Take one away first.")
        return self._remember(token, chosen=found)

    def mask(self, token: str, content: bytes | None) -> dict:
        """Takes a drawing of where to paint: a PNG, white where nothing was drawn; None is none.

        Raises:
            InputError: it is no picture, or has no or nothing but strokes.
        """
        session = self._sessions.of(token)
        if content is None:
            return self._remember(token, mask=None)
        if len(content) > MASK_BYTES:
            raise InputError("This drawing is too large.")
        path = session.new("mask", "png")
        with files.replacing(path) as temporary:
            temporary.write_bytes(content)
        try:
            share = (_drawn(images.read(path, None).pixels)).mean()
            if not 0.005 <= share <= 0.995:
                raise InputError("Draw over a part of the photograph, not a dot and not all of it.")
        except InputError:
            path.unlink()
            raise
        return self._remember(token, mask=path.name)

    def wish(self, token: str, **values) -> dict:
        """Remembers how to paint; see `wishes.checked`."""
        return self._remember(token, wish=dataclasses.asdict(wishes.checked(**values)))

    def seconds(self, token: str) -> float | None:
        """Returns how long a painting as wished will take here; None without a photograph.

        Raises:
            InputError: it cannot be made.
        """
        said = self.remembered(token)
        if not said["photograph"] or not said["chosen"]:
            return None
        network = self._networks.style()
        self._pace.measure(network, optimizer_painting.precision())
        # Of a painting only its size counts.
        height, width = (said["photograph"][side] for side in ("height", "width"))
        wish = wishes.Wish(**said["wish"])
        return optimizer_painting.seconds((height, width), wish, network, self._pace)

    def preview(self, token: str) -> dict | None:
        """Paints in one pass, where a network knows all styles that are chosen.

        Returns:
            What is remembered then, with "preview"; None where none knows them, or there is
            nothing to paint.
        """
        said = self.remembered(token)
        chosen = [(self.styles.get(key), weight) for key, weight in said["chosen"].items()]
        checkpoints = {style.checkpoint if style else None for style, _ in chosen}
        if not said["photograph"] or len(checkpoints) != 1 or None in checkpoints:
            return None
        session, (checkpoint,) = self._sessions.of(token), checkpoints
        painter = gallery.painter(checkpoint)
        mask, rest = self._mask(session, said), None
        pairs = [(style.name, weight) for style, weight in chosen]
        if mask is not None and len(pairs) > 1:
            pairs, rest = pairs[:1], painter.mix((pairs[1][0],))
        names, weights = zip(*pairs, strict=True)
        mix = checkpoint_files.mix(painter.styles, names, weights, painter.name)
        content = pictures.opened(session, said["photograph"]["file"])
        wish = wishes.Wish(**said["wish"])
        with self._one:
            made = fast_preview.paint(painter, content, mix, wish, rest, mask)
        shown = {"shown": pictures.show(session, made, "preview"), "kind": "preview"}
        return self._remember(token, preview=shown)

    def start(self, token: str, sketch: bool = False) -> Job:
        """Puts a painting into the line.

        Args:
            token: whose.
            sketch: small and short, for a preview where no network knows the painting.

        Raises:
            InputError: no photograph, no painting; the line is too long.
        """
        said, session = self.remembered(token), self._sessions.of(token)
        if not said["photograph"]:
            raise InputError("Bring a photograph first.")
        if not said["chosen"]:
            raise InputError("Choose a painting first.")
        task = optimizer_painting.Task(
            content=pictures.opened(session, said["photograph"]["file"]),
            styles=[self._style(session, key) for key in said["chosen"]],
            weights=tuple(said["chosen"].values()),
            mask=self._mask(session, said),
            wish=wishes.Wish(**said["wish"]),
        )

        make, kind = (self._sketched, "sketch") if sketch else (self._painted, "painting")
        return self._line.submit(_owner(token), kind, functools.partial(make, token, task, said))

    def job(self, token: str) -> Job | None:
        """Returns a person's last work here."""
        return self._line.of(_owner(token))

    def stop(self, token: str) -> None:
        """Ends it where it is; what was painted so far is kept."""
        self._line.stop(_owner(token))

    def _sketched(
        self, token: str, task: optimizer_painting.Task, said: dict, stopped: Callable
    ) -> Iterator[Live]:
        show, step = self._shower(token), None
        for step in sketches.paint(task, self._networks.sketcher()):
            if stopped():
                return
            yield from show(step)
        shown = pictures.show(self._sessions.of(token), given(given(step).picture), "preview")
        if self._still(token, said):
            self._remember(token, preview={"shown": shown, "kind": "sketch"})

    def _painted(
        self, token: str, task: optimizer_painting.Task, said: dict, stopped: Callable
    ) -> Iterator[Live]:
        session, began, show = self._sessions.of(token), time.perf_counter(), self._shower(token)
        step = piece = None
        steps = optimizer_painting.paint(task, self._networks.style(), self._pace)
        for step, piece in steps:  # noqa: B007  # Both of the last are needed.
            yield from show(step)
            if stopped():
                break
        if step is None or step.picture is None:
            return
        # Whoever stops has the size they asked for, too.
        painted_at = step.picture.shape[:2]
        kept = pictures.keep(session, optimizer_painting.whole(step, given(piece)), "painted")
        path = session.folder / kept.file
        manifest = path.with_suffix(".json")
        about = {
            "wish": dataclasses.asdict(task.wish), "paintings": self._titles(said["chosen"]),
            "weights": task.weights, "mask": task.mask is not None,
            "seconds": round(time.perf_counter() - began, 1), "painted_at": [*painted_at],
        }  # fmt: skip
        optimizer_painting.write_manifest(manifest, path, piece, step, about)
        result = dataclasses.asdict(kept) | about
        result |= {"manifest": manifest.name, "evaluations": step.done, "of": step.total}
        result["before"] = said["photograph"]["shown"]
        with session.lock:
            results = [*self.remembered(token)["results"], result][-_RESULTS:]
            newest = {"preview": None} if self._still(token, said) else {}
            self._remember(token, results=results, **newest)

    def _shower(self, token: str) -> Callable[[optimizer_painting.Step], Iterator[Live]]:
        """Returns what shows steps on the page, not too often, the latest few of them kept."""
        session, last = self._sessions.of(token), 0.0
        live: collections.deque[str] = collections.deque()

        def show(step):
            nonlocal last
            if step.picture is None:
                yield Live("", 0.0, step.seconds_left)
            elif time.perf_counter() - last > _SHOWN_EVERY_S:
                last = time.perf_counter()
                live.append(pictures.show(session, step.picture, "live"))
                if len(live) > _LIVE:
                    (session.folder / live.popleft()).unlink(missing_ok=True)
                yield Live(live[-1], step.share, step.seconds_left)

        return show

    def _still(self, token: str, said: dict) -> bool:
        """Tells whether the photograph is that of `said`."""
        return self.remembered(token)["photograph"] == said["photograph"]

    def _titles(self, keys: Iterable[str]) -> list[str]:
        return [self.styles[key].title if key in self.styles else "your own" for key in keys]

    def _style(self, session: Session, key: str) -> np.ndarray:
        if key in self.styles:
            return images.read(self.styles[key].picture).pixels
        return pictures.opened(session, key)

    def _mask(self, session: Session, said: dict) -> np.ndarray | None:
        """Returns the mask, bool of the photograph's size, or None."""
        if not said["mask"]:
            return None
        height, width = (said["photograph"][side] for side in ("height", "width"))
        return _drawn(images.resize(pictures.opened(session, said["mask"]), height, width))

    def _remember(self, token: str, **values) -> dict:
        self._sessions.of(token).remember(**values)
        return self.remembered(token)


def _drawn(pixels: np.ndarray) -> np.ndarray:
    """Returns where a drawing is not white, bool [height, width]."""
    return pixels.min(-1) < 128


def _owner(token: str) -> str:
    return f"styling {token}"
