"""How much both networks' layers mind the style of a picture, beside its content."""

import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.comparison import responses, style_invariance
from tfvis.experiments import cue_conflicts
from tfvis.experiments.comparison_sections import Section, course, number, sentences
from tfvis.experiments.comparison_study import Study
from tfvis.progress_bar import bar
from tfvis.report import html_page, plots


def invariance(study: Study, steps: int | None, seed: int) -> Section:
    """Distance of pictures and their cue conflicts, in that of different pictures, per layer.

    Args, Raises:
        As `comparison_shape_bias.shape_bias`, whose pictures it takes over; no network has to
        know the classes.
    """
    made = cue_conflicts.made(study, steps, seed)
    height, width = made.pixels.shape[1:3]
    pixels = study.pictures.pixels[study.domains[0]].astype(np.float32)
    originals = {k: images.resize(pixels[k], height, width) for k in dict.fromkeys(made.contents)}
    pairs = list(zip(made.contents, made.pixels, strict=True))
    rows, lines, said = [], {}, []
    with bar("Looking at styles", len(study.pair) * (len(originals) + len(pairs))) as progress:
        for label in study.pair:
            found = style_invariance.changes(_look(study, label, progress), pairs, originals)
            values = [found[layer] for layer in study.layers[label]]
            rows += [
                (label, layer, number(value))
                for layer, value in zip(study.layers[label], values, strict=True)
            ]
            lines[label] = (list(study.names), values)
            said.append(course(
                study, f"to {label}, the texture of another class changes a picture, in distances "
                "of different pictures, by", values,
            ))  # fmt: skip
    figure = html_page.Figure(
        plots.lines(lines, "layer", "squared distance"),
        "A picture and itself in another style",
        "in distances of different pictures: at 1 the style matters as much as the picture",
        wide=True,
    )
    columns = ("network", "layer", "distance in other style")
    return Section(
        "invariance", "How much style matters", sentences(said), columns, rows, (figure,)
    )


def _look(study: Study, label: str, progress):
    """Returns picture -> {layer: answers}, moving the bar."""
    network = study.networks[label]
    look = responses.looking(network, tuple(study.layers[label]), study.precision)

    def told(picture):
        shown = images.with_channels(picture, network.channels)
        found = {layer: out.numpy() for layer, out in look(tf.constant(shown)).items()}
        progress.update(1)
        return found

    return told
