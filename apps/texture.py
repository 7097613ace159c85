"""Makes more of a texture: a new picture with the statistics of a given one.

    python -m apps.texture --style=pebbles.jpg --tileable

From noise, a picture is sought whose features have the same Gram matrices at several depths
of a network (Gatys et al., NIPS 2015), coarse to fine. Writes to --workdir:

    texture.png      the texture
    tiled.png        with --tileable, two by two of it, which shows no seam
    steps/           the texture on its way
    sheet.png        the source and the texture
    texture.csv      every term of the energy over the steps
    manifest.json    arguments, versions, weights, terms, measures
    tensorboard/     images and energy terms over the steps

Stopped at any moment, the same command goes on where it was. 256 px take one to two minutes
on two cores.
"""

import dataclasses
import pathlib

from absl import flags

from tfvis import words
from tfvis.errors import InputError
from tfvis.experiments import networks

from .flags import common, name_checks
from .flags import networks as network_flags
from .flags import style as style_flags

_STYLE = style_flags.define_style(several=False)
_SIZE = style_flags.define_size(256)
_NETWORK = network_flags.define_network(pooling="avg")
_WORKDIR = common.define_workdir("out/texture")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_RECIPE = style_flags.define_recipe()
_LAYERS = flags.DEFINE_string(
    "layers", None, "Layers whose statistics are taken; left out, those of neural style."
)
_SHAPE = flags.DEFINE_string(
    "shape", None, "height,width of the texture in pixels; left out, --size squared."
)
_TILEABLE = flags.DEFINE_bool(
    "tileable", False, "Make it go around, so that copies side by side show no seam."
)
# Both sides must be multiples of the deepest stride, or poolings would leave a rest out.
_STRIDE = 32


def main() -> None:
    """Reads the flags and the picture, then TensorFlow, then makes the texture."""
    from tfvis import images

    name_checks.check(_NETWORK(), layers={_LAYERS.name: _LAYERS.value})
    found = style_flags.pictures(_STYLE.value, "style")
    if len(found) > 1:
        raise InputError("--style: one picture; stylize blends several.")
    shape = words.numbers(_SHAPE.value, "shape", exactly=2) or (_SIZE.value, _SIZE.value)
    if min(shape) < 32 or max(shape) > 4096:
        raise InputError(f"--shape={shape[0]},{shape[1]}: expected sides of 32 to 4096 px.")
    if _TILEABLE.value:
        shape = tuple(max(round(side / _STRIDE), 1) * _STRIDE for side in shape)
    limit = style_flags.limit(_RECIPE["memory"])
    workdir = common.workdir(_WORKDIR.value)
    common.start_tensorflow()
    import numpy as np

    from tfvis.experiments import runner, style_runs
    from tfvis.networks.padding import padded
    from tfvis.report import sheets, tensorboard
    from tfvis.style import metrics
    from tfvis.style.transfer import Scene

    network = networks.only(networks.networks(_NETWORK()), "give each a --workdir of its own")
    layers = style_flags.layers(network, None, _LAYERS.value, "layers")["style_layers"]
    if _TILEABLE.value:
        network = padded(network, "circular")
    settings = style_flags.settings(
        _RECIPE,
        network,
        workdir,
        _PRECISION.value,
        _JIT.value,
        content_layers=(),
        style_layers=layers,
        init="noise",
        # A texture's roughness is part of it; and this term knows no going around.
        tv_weight=_RECIPE["tv_weight"].value or 0.0,
    )
    source = metrics.resized(found[0], _SIZE.value)
    style = images.with_channels(source, network.channels)
    piece = style_runs.Piece(
        name="texture",
        path=pathlib.PurePosixPath("texture.png"),
        network=network,
        scene=Scene(None, (style,), shape=shape),
        settings=settings,
        judged=(None, (style,)),
    )
    piece = dataclasses.replace(piece, stills=style_runs.stills(piece.total))
    piece, plan = style_runs.planned(piece, limit)
    task = style_runs.task(piece, workdir, _SEED.value)
    style_runs.announce(style_runs.ahead([task], [plan], workdir, style_runs.FIELDS), network)
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        header = style_runs.header([piece], common.arguments())
        (result,) = runner.run([task], workdir, header, writer, style_runs.FIELDS)
        made = images.read(workdir / result["file"]).pixels
        cells = [sheets.Cell(source, "source"), sheets.Cell(made, "texture")]
        if _TILEABLE.value:
            tiled = np.tile(made, (2, 2, 1))
            images.save_png(workdir / "tiled.png", tiled)
            cells.append(sheets.Cell(tiled, "two by two"))
        page = sheets.sheet(cells)
        images.save_png(workdir / "sheet.png", page)
        writer.images("sheet", page[None], 0)
    common.tell(f"{workdir / result['file']}  {result['seconds']:.0f} s")
    common.tell(style_runs.summary(result))
    common.tell(f"All in one picture: {workdir / 'sheet.png'}")


def run() -> None:
    """The app's entry point."""
    common.run(main, "texture")


if __name__ == "__main__":
    run()
