"""Sweeps neural style: what do the statistics of each layer hold, and what does a flag do?

    python -m apps.sweep --vary=style_layers,evaluations --values=";50|100|200|500"

Every combination of the values makes a picture, with everything else as in stylize. One run
serves all numbers of evaluations below its own, bit for bit (--recipe=gatys with lbfgs).
Writes to --workdir:

    sheet.png        content, styles, and the grid: the last flag across, the others down
    results.csv      a row per picture: distances at its own size by the network that made it
                     (unit ...), and all measures at 256 px by the first network
    pareto.png       where ratio varies: style against content
    cells/           the pictures, and every term of their energies over the steps
    manifest.json    arguments, versions, weights, terms, measures
    tensorboard/     images, energy terms over the steps, and each picture as a trial (HParams)

Stopped at any moment, the same command goes on where it was. The five runs of the command
above, at 256 px, take five to fifteen minutes on two cores. --precision=auto is float32 where
runs are shared so: in bfloat16, a run depends on its length from the start.
"""

from absl import flags

from tfvis.errors import InputError, marked
from tfvis.experiments import sweep_grid

from .flags import common, name_checks
from .flags import networks as network_flags
from .flags import style as style_flags

_VARY = flags.DEFINE_string(
    "vary",
    "style_layers,evaluations",
    f"What varies, separated by commas, of {', '.join(sweep_grid.DEFAULTS)}.",
)
_VALUES = flags.DEFINE_string(
    "values",
    None,
    "A list for each flag of --vary, separated by ';', its values by '|'; lists left empty, or "
    "all left out, take usual values (layers of styles: the first, the first two, ...).",
)
_PAINTING = style_flags.define_painting()
_SIZE = style_flags.define_size(256)
_NETWORK = network_flags.define_network(pooling="avg")
_WORKDIR = common.define_workdir("out/sweep")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_RECIPE = style_flags.define_recipe()
flags.set_default(_RECIPE["recipe"], "gatys")


def main() -> None:
    """Reads the flags and the pictures, then TensorFlow, then makes the grid."""

    words = set(sweep_grid.DEFAULTS) - {*sweep_grid.LAYERS, "network"}
    axes = sweep_grid.parse(
        _VARY.value, _VALUES.value, {name: flags.FLAGS[name].parser.parse for name in words}
    )
    chosen = ("content_layers", "style_layers")
    name_checks.check(
        _NETWORK(),
        layers={flag: _PAINTING[flag].value for flag in chosen if flag not in axes},
        names=axes.get("network"),
    )
    given = style_flags.painting(_PAINTING)
    limit = style_flags.limit(_RECIPE["memory"])
    workdir = common.workdir(_WORKDIR.value)
    common.start_tensorflow()
    from tfvis.experiments import style_transfer, sweep, sweep_cells
    from tfvis.style import metrics

    built = sweep_cells.built(_NETWORK(), axes)
    first = next(iter(built.values()))
    grid = sweep_grid.grid(axes, metrics.layers_for(first).style)

    precision = _PRECISION.value
    # A run in bfloat16 changes over at a share of its length: it serves no other.
    shared = _RECIPE["recipe"].value == "gatys" and _RECIPE["optimizer"].value == "lbfgs"
    if precision == "auto" and "evaluations" in axes and shared:
        precision = "float32"

    def settings(network, cell):
        value = {name: holder.value for name, holder in (_PAINTING | _RECIPE).items()} | cell
        layers = [
            ",".join(v) if isinstance(v, tuple) else v
            for v in (value["content_layers"], value["style_layers"])
        ]
        try:
            layers = style_flags.layers(network, *layers)
        except InputError as error:
            where = "--values: " if {*sweep_grid.LAYERS, "network"} & {*cell} else ""
            raise InputError(f"{where}{marked(error)}") from error
        return style_flags.settings(
            _RECIPE,
            network,
            workdir,
            precision,
            _JIT.value,
            **{name: value[name] for name in ("ratio", "init", "evaluations", "tv_weight")},
            guide=value["guides"],
            **layers,
        )

    cells = sweep_cells.cells(grid, built, settings)
    base = style_transfer.Job(
        network=first,
        size=_SIZE.value,
        settings=cells[0].settings,
        limit=limit,
        seed=_SEED.value,
        workdir=workdir,
        arguments=common.arguments(),
        **given,
    )
    rows = sweep.run(sweep.Job(base, grid, cells))
    titles = [sweep_grid.titles(cell) for cell in grid.cells]
    for title, row in zip(titles, rows, strict=True):
        common.tell(
            f"{title:<{max(map(len, titles))}}  content {row['content']:9.3g}  "
            f"style {row['style']:9.3g}  {row['seconds']:6.1f} s  {workdir / row['file']}"
        )
    common.tell(f"All numbers: {workdir / 'results.csv'}")
    common.tell(f"All in one picture: {workdir / 'sheet.png'}")


def run() -> None:
    """The app's entry point."""
    common.run(main, "sweep")


if __name__ == "__main__":
    run()
