"""How an app is called: `python -m apps.NAME` in a checkout, `tfvis NAME` once installed."""

# "apps", or "tfvis.apps" where a wheel brought it.
PACKAGE = __name__.rpartition(".flags.")[0]
_INSTALLED = PACKAGE != "apps"


def name(app: str) -> str:
    """Returns what is typed to run an app."""
    return f"tfvis {app}" if _INSTALLED else f"python -m apps.{app}"


def said(text: str) -> str:
    """Returns the words of a docstring, which speak of a checkout, as they hold here."""
    return text.replace("python -m apps.", "tfvis ") if _INSTALLED else text


def module(app: str) -> str:
    """Returns what Python runs with `-m`, also from another program."""
    return f"{PACKAGE}.{app}"
