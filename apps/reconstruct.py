"""Shows what content and what style the layers of a network hold.

    python -m apps.reconstruct --image=painting.jpg

The first figure of Gatys et al. (2015): on one row, images found from noise whose features at
a single layer are those of the picture; on the other, images that share its Gram matrices at
the first layer, at the first two, and so on to all five. Writes to --workdir:

    content/<layer>.png     one per layer
    style/<k>_<layer>.png   one per set of layers, from the first to this one
    sheet.png               both rows
    manifest.json           arguments, versions, weights, terms, measures
    tensorboard/            images and energy terms over the steps

Stopped at any moment, the same command goes on where it was. All ten pictures take four to
ten minutes on two cores.
"""

import pathlib

from absl import flags

from tfvis.errors import InputError
from tfvis.experiments import networks

from .flags import common, name_checks, paths
from .flags import networks as network_flags
from .flags import style as style_flags

_IMAGE = paths.define(
    "image",
    None,
    paths.each(paths.file),
    "The picture to look at; left out, a painting of our own.",
)
_SIZE = style_flags.define_size(224)
_NETWORK = network_flags.define_network(pooling="avg")
_WORKDIR = common.define_workdir("out/reconstruct")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_RECIPE = style_flags.define_recipe(False, evaluations=200)
_WHAT = flags.DEFINE_enum("what", "both", ["both", "content", "style"], "Which rows to make.")
_CONTENT_LAYERS = flags.DEFINE_string(
    "content_layers", None, "Layers of the first row; left out, conv1_2 to conv5_2 of VGG."
)
_STYLE_LAYERS = flags.DEFINE_string(
    "style_layers", None, "Layers of the second row; left out, conv1_1 to conv5_1 of VGG."
)
_PUBLISHED = ",".join(f"block{k}_conv2" for k in range(1, 6))


def main() -> None:
    """Reads the flags and the picture, then TensorFlow, then reconstructs."""
    from tfvis import images

    rows = (_CONTENT_LAYERS, _STYLE_LAYERS)
    name_checks.check(_NETWORK(), layers={row.name: row.value for row in rows})
    found = style_flags.pictures(_IMAGE.value, "image")
    if len(found) > 1:
        raise InputError("--image: one picture at a time.")
    (picture,) = found
    limit = style_flags.limit(_RECIPE["memory"])
    workdir = common.workdir(_WORKDIR.value)
    common.start_tensorflow()
    from tfvis.experiments import runner, style_runs
    from tfvis.report import sheets, tensorboard
    from tfvis.style import metrics
    from tfvis.style.transfer import Scene

    network = networks.only(networks.networks(_NETWORK()), "give each a --workdir of its own")
    known = set(_PUBLISHED.split(",")) <= set(network.paths)
    words = _CONTENT_LAYERS.value or (_PUBLISHED if known else ",".join(networks.depths(network)))
    layers = style_flags.layers(network, words, _STYLE_LAYERS.value)
    target = images.with_channels(metrics.resized(picture, _SIZE.value), network.channels)
    size = target.shape[:2]

    def piece(row, name, content_layers, style_layers):
        settings = style_flags.settings(
            _RECIPE,
            network,
            workdir,
            _PRECISION.value,
            _JIT.value,
            recipe="gatys",
            content_layers=content_layers,
            style_layers=style_layers,
            init="noise",
        )
        wanted = (target, ()) if content_layers else (None, (target,))
        return style_runs.Piece(
            name=f"{row} {name}",
            path=pathlib.PurePosixPath(row) / f"{runner.safe_name(name)}.png",
            network=network,
            scene=Scene(*wanted, shape=size),
            settings=settings,
            judged=wanted,
            about={"row": row, "layers": list(content_layers or style_layers)},
        )

    pieces = []
    if _WHAT.value != "style":
        pieces += [piece("content", name, (name,), ()) for name in layers["content_layers"]]
    if _WHAT.value != "content":
        names = layers["style_layers"]
        pieces += [
            piece("style", f"{k + 1}_{name}", (), names[: k + 1]) for k, name in enumerate(names)
        ]
    pieces, plans = zip(*[style_runs.planned(one, limit) for one in pieces], strict=True)
    tasks = [style_runs.task(one, workdir, _SEED.value) for one in pieces]
    style_runs.announce(style_runs.ahead(tasks, plans, workdir, style_runs.FIELDS), network)
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        header = style_runs.header(list(pieces), common.arguments())
        results = runner.run(tasks, workdir, header, writer, style_runs.FIELDS)
        rows = {row: [r for r in results if r["row"] == row] for row in ("content", "style")}
        rows = {row: found for row, found in rows.items() if found}
        columns = 1 + max(len(found) for found in rows.values())
        blank = target * 0 + 250
        cells = []
        for row, found in rows.items():
            cells.append(sheets.Cell(target, "the picture", row))
            for result in found:
                upto = result["layers"]
                title = upto[-1] if len(upto) == 1 else f"{upto[0]} to {upto[-1]}"
                cells.append(sheets.Cell(images.read(workdir / result["file"]).pixels, title))
            cells += [sheets.Cell(blank)] * (columns - 1 - len(found))
        page = sheets.sheet(cells, columns)
        images.save_png(workdir / "sheet.png", page)
        writer.images("sheet", page[None], 0)
    for result in results:
        common.tell(
            f"{result['name']:<24} {result['seconds']:6.1f} s  {result['file']}  "
            f"{style_runs.summary(result)}"
        )
    common.tell(f"All in one picture: {workdir / 'sheet.png'}")


def run() -> None:
    """The app's entry point."""
    common.run(main, "reconstruct")


if __name__ == "__main__":
    run()
