"""All that a page for people without a terminal does, without the page."""

import logging
import pathlib

from tfvis.errors import InputError
from tfvis.experiments.studio.jobs import Line
from tfvis.experiments.studio.looking import Looking
from tfvis.experiments.studio.opened_networks import Networks
from tfvis.experiments.studio.sessions import Limits, Sessions
from tfvis.experiments.studio.styling import Styling


class Studio:
    """A studio: people's sessions, the line of long work, the two halves of the page.

    Args:
        root: folder of all sessions.
        uploads: where files lie that were just brought; no other file is read.
        fast: a checkpoint of `train_style`; None takes what comes along.
        network: of styles, layers and units.
        checkpoint: a classifier.
        limits: of what is kept.
    """

    def __init__(
        self,
        root: pathlib.Path,
        uploads: pathlib.Path,
        fast: str | None = None,
        network: str = "vgg16",
        checkpoint: str = "pacs_none_vgg16",
        limits: Limits = Limits(),
    ):
        self.sessions, self.line = Sessions(root, limits), Line()
        self._uploads = uploads.resolve()
        networks = Networks(network, checkpoint)
        self.styling = Styling(self.sessions, self.line, networks, fast)
        self.looking = Looking(self.sessions, self.line, networks, root.parent / "units")

    def warm(self) -> None:
        """Opens networks before the first visitor waits for them."""
        for half in (self.styling, self.looking):
            try:
                half.warm()
            except InputError as error:
                logging.getLogger("tfvis").warning("%s", error)

    def brought(self, word: str) -> pathlib.Path:
        """Returns the path of a file that was just brought, as a page names it.

        Raises:
            InputError: it is none; a page may say anything.
        """
        path = pathlib.Path(word).resolve() if "\0" not in word else self._uploads
        if self._uploads not in path.parents or not path.is_file():
            raise InputError("This file did not arrive. Bring it again.")
        return path
