"""What an experiment has to say while it works, to whoever runs it.

Lines go to the logger "tfvis": an app shows all of them, a notebook the notes.
"""

import logging

from tfvis.errors import Text

_LOG = logging.getLogger("tfvis")


def say(line: str) -> None:
    """Tells what is being done."""
    _LOG.info("%s", Text(line))


def note(line: str) -> None:
    """Tells what should be known of a result; without the word "Note", which is added."""
    _LOG.warning("Note: %s", Text(line))
