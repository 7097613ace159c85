"""The page: its two halves, its looks."""

import gradio as gr

from . import look_tab, parts, style_tab

HEAD = (
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="robots" content="noindex">'
)
# Fonts of the machine itself: nothing is fetched.
_SANS = ("ui-sans-serif", "system-ui", "Helvetica Neue", "Arial", "sans-serif")
_MONO = ("ui-monospace", "Menlo", "Consolas", "monospace")


def blocks(studio) -> gr.Blocks:
    """Returns the page of a `Studio`."""
    with gr.Blocks(analytics_enabled=False, title="tfvis studio", fill_width=True) as page:
        gr.HTML(
            '<header class="studio-head"><h1>tfvis <em>studio</em></h1>'
            "<p>Paint a photograph like a painting. See a picture as a network sees it.</p>"
            "</header>",
            apply_default_css=False,
        )
        with gr.Tabs(elem_id="halves"):
            with gr.Tab("Style", id="style"):
                style_tab.build(page, studio)
            with gr.Tab("Look", id="look"):
                look_tab.build(page, studio)
    # What is long stands in a line of the studio's own; events only wait.
    page.queue(default_concurrency_limit=None, max_size=200, api_open=False)
    return page


def theme() -> gr.themes.Base:
    """Returns plain colours: the pictures have theirs."""
    return gr.themes.Base(
        primary_hue="neutral", neutral_hue="stone", font=_SANS, font_mono=_MONO,
        radius_size=gr.themes.sizes.radius_sm,
    )  # fmt: skip


def css() -> str:
    """Returns the style sheet."""
    return parts.style_sheet()
