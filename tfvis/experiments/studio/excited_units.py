"""Units that a picture excites, and what they look for: found by activation maximisation."""

import hashlib
import pathlib
import re
from collections.abc import Callable, Iterator

import numpy as np

from tfvis import activation_statistics, images, photograph_statistics
from tfvis.errors import InputError, arg
from tfvis.experiments import networks as network_names
from tfvis.experiments.studio import pictures
from tfvis.experiments.studio.opened_networks import Networks
from tfvis.experiments.studio.sessions import Session
from tfvis.networks.receptive_field import receptive_field
from tfvis.preimages import feature_visualization
from tfvis.report import patches

# Units at a time, the side of the picture they are looked for in, steps of each.
COUNT, _SIDE, _STEPS = 6, 224, 200
# A picture of a unit goes after so many newer ones: some 20 kB each.
_MOST = 2000
_NAME = re.compile(r"[0-9a-f]{12}-[0-9]{1,5}\.png")


class _StoppedError(Exception):
    """The person does not wait any more."""


class ExcitedUnits:
    """Pictures of units, drawn once for everybody.

    Args:
        networks: whose `plain` has the units.
        folder: of the pictures.
    """

    def __init__(self, networks: Networks, folder: pathlib.Path):
        self._networks, self._folder = networks, folder
        folder.mkdir(parents=True, exist_ok=True)

    def file(self, name: str) -> pathlib.Path | None:
        """Returns the picture of a unit by its name, None where there is none."""
        path = self._folder / name if _NAME.fullmatch(name) else None
        return path if path and path.is_file() else None

    def chosen(self, pixels: np.ndarray, layer: str, channels: list[int] | None) -> list[dict]:
        """Returns units of a layer: those that a picture excites most, beside photographs.

        Args:
            pixels: float32 [height, width, 3], 0..255.
            layer: a path.
            channels: these instead; None are `COUNT` of the most excited.

        Returns:
            {"channel", "times": the answer over the largest to photographs, or None where that is
            not known, "box": (top, left, bottom, right) of what the unit sees where it answers
            most, in the square that is looked at} each.

        Raises:
            InputError: no such layer or channel.
        """
        network = self._networks.plain()
        network.check([layer])
        target = network_names.target(pixels, network, _SIDE, "center")
        ((_, found),) = activation_statistics.answers(network, [layer], [(0, target)])
        answers = found[layer]
        known = photograph_statistics.find(network)
        known = known and known.layers.get(network.path(layer))
        largest = answers.inside
        times = None
        if known is not None:
            # A unit that no photograph excites would be first by any answer at all.
            times = largest / activation_statistics.floored(known["largest"], layer)
        if channels is None:
            order = np.argsort(-(largest if times is None else times), kind="stable")
            channels = [int(k) for k in order[:COUNT]]
        if not channels or not all(0 <= k < len(largest) for k in channels):
            raise InputError(f"{arg('channels')}: {layer} has 0 to {len(largest) - 1}.")
        field = receptive_field.receptive_field(network, layer, *target.shape[:2])
        return [
            {
                "channel": k,
                "times": None if times is None else round(float(times[k]), 2),
                "box": [int(e) for e in field.box(int(answers.rows[k]), int(answers.columns[k]))],
            }
            for k in channels[:COUNT]
        ]

    def drawn(
        self, session: Session, pixels: np.ndarray, layer: str, found: list[dict],
        stopped: Callable[[], bool],
    ) -> Iterator[list[dict]]:  # fmt: skip
        """Yields the units with "part", what each sees of the picture, and "unit", its picture.

        Args:
            session: whose picture it is.
            pixels: it.
            layer: a path.
            found: what `chosen` returned.
            stopped: whether to end.
        """
        network = self._networks.plain()
        target = network_names.target(pixels, network, _SIDE, "center")
        field = receptive_field.receptive_field(network, layer, *target.shape[:2])
        side = [min(int(s), n) for s, n in zip(field.size, target.shape[:2], strict=True)]
        units = []
        for one in found:
            part = pictures.show(
                session, patches.grid([patches.cut(target, one["box"], side)]), "part"
            )
            units.append(one | {"part": part, "unit": None})
        yield units
        for k, one in enumerate(units):
            if stopped():
                return
            units[k] = one | {"unit": self._picture(network, layer, one["channel"], stopped)}
            yield list(units)

    def _picture(self, network, layer: str, channel: int, stopped) -> str | None:
        """Returns the name of a unit's picture, drawn where it is not yet there."""
        word = f"{network.record.fingerprint} {layer} {_STEPS}"
        name = f"{hashlib.sha256(word.encode()).hexdigest()[:12]}-{channel}.png"
        path = self._folder / name
        if path.is_file():
            path.touch()
            return name

        def seen(progress):
            if stopped():
                raise _StoppedError

        try:
            made = feature_visualization.maximize(
                network, f"{layer}:{channel}", steps=_STEPS, callback=seen
            )
        except _StoppedError:
            return None
        except InputError:  # Nothing raises it.
            return None
        images.save_png(path, made.image)
        ours = [one for one in self._folder.iterdir() if _NAME.fullmatch(one.name)]
        newest = sorted(ours, key=lambda one: -one.stat().st_mtime)
        for old in newest[_MOST:]:
            old.unlink(missing_ok=True)
        return name
