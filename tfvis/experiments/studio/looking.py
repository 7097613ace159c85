"""The page of looking, without a page: what a network calls a picture, where it looks, what its
layers keep, which of its units it excites."""

import dataclasses
import pathlib
import tempfile
import threading
from collections.abc import Callable, Iterator

from tfvis import images, words
from tfvis.errors import InputError
from tfvis.experiments import attention, attention_models, folders, picture_tasks
from tfvis.experiments import networks as network_names
from tfvis.experiments.studio import pictures
from tfvis.experiments.studio.excited_units import ExcitedUnits
from tfvis.experiments.studio.jobs import Job, Line
from tfvis.experiments.studio.opened_networks import Networks
from tfvis.experiments.studio.sessions import Session, Sessions
from tfvis.preimages import inversion

# Of what layers keep: a third of the work of 224 px, half of the steps; enough to tell them apart.
_SIDE, _STEPS = 160, 150
# What a page shows a new picture of a layer after, of its steps.
_EVERY = 20
# The class of pictures that show none of the others.
NONE = "none"


@dataclasses.dataclass(frozen=True)
class LayersLive:
    """What layers keep, as far as it was found.

    Attributes:
        rows: (layer, name of its picture, relative error or None) each.
        share: of all steps.
    """

    rows: tuple[tuple[str, str, float | None], ...]
    share: float


class Looking:
    """What people do on the page of looking; each is known by the token of a browser.

    Args:
        sessions: of all.
        line: of long work.
        networks: that are opened once.
        units: folder of pictures of units, which are nobody's.
    """

    def __init__(self, sessions: Sessions, line: Line, networks: Networks, units: pathlib.Path):
        self._sessions, self._line, self._networks = sessions, line, networks
        self._units = ExcitedUnits(networks, units)
        self.unit_file, self._one = self._units.file, threading.Lock()

    def warm(self) -> None:
        """Opens what the first visitor would wait for."""
        self._networks.plain()
        self._networks.eyes()

    def remembered(self, token: str) -> dict:
        """Returns what is remembered of a person's looking, of JSON's types."""
        usual = {"picture": None, "seen": None, "kept": [], "units": None}
        return usual | (self._sessions.of(token).remembered().get("looked") or {})

    def picture(self, token: str, path, name: str = "") -> dict:
        """Takes a picture to look at; returns what is remembered then.

        Raises:
            InputError: one sentence about the file.
        """
        return self._new(token, pictures.take(self._sessions.of(token), path, "looked", name))

    def demo(self, token: str) -> dict:
        """Takes the demo photograph; returns what is remembered then."""
        return self._new(token, pictures.keep(self._sessions.of(token), images.demo(), "looked"))

    def _new(self, token: str, kept: pictures.Kept) -> dict:
        self.stop(token)
        return self._remember(
            token, picture=dataclasses.asdict(kept), seen=None, kept=[], units=None
        )

    @property
    def layers(self) -> list[str]:
        """The layers that are shown, of five depths."""
        return network_names.depths(self._networks.plain())

    def classes(self) -> list[str]:
        """Returns what the classifier knows, but for none of them."""
        return [name for name in self._networks.eyes().classes if name != NONE]

    def see(self, token: str, of_class: str | None = None) -> dict:
        """Looks: what the picture is called, and where that is seen.

        Args:
            token: whose.
            of_class: whose map is shown; None is the likeliest, which may be none of them.

        Returns:
            What is remembered then, with "seen": "top" (name, probability), "class", names of the
            pictures "mask" and "class_map" (None where the picture is called none).

        Raises:
            InputError: no picture, no such class.
        """
        session, picture = self._given(token)
        with self._one:
            return self._seen(token, session, picture, of_class)

    def _seen(self, token: str, session: Session, picture: dict, of_class: str | None) -> dict:
        model = self._networks.eyes()
        chosen = attention_models.class_index(model, of_class) if of_class else None
        with tempfile.TemporaryDirectory(dir=session.folder) as folder:
            place = pathlib.Path(folder)
            # As large as a page shows it; a network looks at less.
            found = folders.find(session.folder / picture["shown"], "image")
            (record,) = attention.make(
                model, picture_tasks.input_pictures(found), place / "out", None, chosen
            )
            made = place / "out" / record["folder"]
            seen = {"top": record["top"], "class": record["class"], "class_map": None}
            seen["mask"] = pictures.show(session, images.read(made / "overlay.png").pixels, "seen")
            if record["class"] != NONE and "class_vbp.png" in record["files"]:
                drawn = images.read(made / "class_vbp.png").pixels
                seen["class_map"] = pictures.show(session, drawn, "seen")
        return self._remember(token, seen=seen)

    def start_layers(self, token: str) -> Job:
        """Puts into the line: what layers keep of the picture.

        Raises:
            InputError: no picture; the line is too long.
        """
        session, picture = self._given(token)
        pixels = pictures.opened(session, picture["file"])
        return self._line.submit(
            _owner(token), "layers", lambda stopped: self._kept(token, pixels, stopped)
        )

    def _kept(self, token: str, pixels, stopped: Callable[[], bool]) -> Iterator[LayersLive]:
        network, session = self._networks.plain(), self._sessions.of(token)
        target = network_names.target(pixels, network, _SIDE, "center")
        settings = inversion.Inversion(steps=_STEPS, fine_steps=0)
        layers, rows = network_names.depths(network), []
        for k, layer in enumerate(layers):
            shown = 0
            for progress in inversion.iterate(network, target, layer, settings=settings):
                if stopped():
                    return
                done = progress.snapshot.done
                if done - shown >= _EVERY or done == progress.total:
                    shown = done
                    name = pictures.show(session, progress.kept[0], "kept")
                    share = (k + done / progress.total) / len(layers)
                    yield LayersLive((*rows, (layer, name, None)), share)
            levels = images.quantize(progress.kept).astype("float32")
            (error,) = inversion.relative_errors(network, levels, target, layer, settings)
            rows.append((layer, name, float(error)))
            self._remember(token, kept=rows)
            yield LayersLive(tuple(rows), (k + 1) / len(layers))

    def start_units(self, token: str, layer: str, named: str = "") -> Job:
        """Puts into the line: units of a layer, what they see of the picture, what they look for.

        Args:
            token: whose.
            layer: a path.
            named: numbers of units, such as "3, 24"; none are those the picture excites most.

        Raises:
            InputError: no picture, no such layer or unit; the line is too long.
        """
        session, picture = self._given(token)
        pixels = pictures.opened(session, picture["file"])
        channels = words.numbers(named.replace(" ", "") or None, "units")
        found = self._units.chosen(pixels, layer, channels and list(channels))

        def work(stopped):
            for units in self._units.drawn(session, pixels, layer, found, stopped):
                yield units
            if not stopped():
                self._remember(token, units={"layer": layer, "found": units})

        return self._line.submit(_owner(token), "units", work)

    def job(self, token: str) -> Job | None:
        """Returns a person's last work here."""
        return self._line.of(_owner(token))

    def stop(self, token: str) -> None:
        """Ends it where it is."""
        self._line.stop(_owner(token))

    def _given(self, token: str) -> tuple[Session, dict]:
        picture = self.remembered(token)["picture"]
        if not picture:
            raise InputError("Bring a picture first.")
        return self._sessions.of(token), picture

    def _remember(self, token: str, **values) -> dict:
        session = self._sessions.of(token)
        with session.lock:
            session.remember(looked=self.remembered(token) | values)
        return self.remembered(token)


def _owner(token: str) -> str:
    return f"looking {token}"
