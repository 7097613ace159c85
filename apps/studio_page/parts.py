"""Parts of the page that Gradio has not: each an HTML file and its script beside it."""

import pathlib

import gradio as gr

_HERE = pathlib.Path(__file__).resolve().parent


def part(name: str, value: dict, **how) -> gr.HTML:
    """Returns a part of the page.

    Args:
        name: of its files.
        value: what its script is given, of JSON's types.
        **how: see `gr.HTML`.
    """
    return gr.HTML(
        value,
        html_template=_read(f"{name}.html"),
        js_on_load=_read(f"{name}.js"),
        apply_default_css=False,
        **how,
    )


def style_sheet() -> str:
    """Returns the CSS of the page."""
    return _read("page.css")


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def picture_url(name: str | None) -> str:
    """Returns the address of a picture of one's own session, "" of none."""
    return f"/studio/picture/{name}" if name else ""
