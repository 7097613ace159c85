"""The word a browser is known by."""

import gradio as gr

# Not for scripts: a cookie of HTTP alone.
COOKIE = "tfvis_studio"


def token_of(request) -> str:
    """Returns the token a request brings, "" where it brings none that could be one."""
    word = request.cookies.get(COOKIE) or ""
    return word if 40 <= len(word) <= 64 and word.isascii() else ""


def known(request) -> str:
    """Returns the token of a browser that is known.

    Raises:
        gr.Error: it keeps no cookie; all such would be one person.
    """
    word = token_of(request)
    if not word:
        raise gr.Error(
            "This page knows you again by a cookie. Allow it for this address, and reload.",
            duration=None, print_exception=False,
        )  # fmt: skip
    return word
