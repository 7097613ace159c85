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
_WORKDIR, _PRECISION, _SEED, _JIT = common.define_run("out/sweep")
_RECIPE = style_flags.define_recipe()
flags.set_default(_RECIPE["recipe"], "gatys")


def main():
    """Reads the flags and the pictures, then TensorFlow, then makes the grid."""
    words = set(sweep_grid.DEFAULTS) - {*sweep_grid.LAYERS, *sweep_grid.WEIGHTS, "network"}
    axes = sweep_grid.parse(
        _VARY.value, _VALUES.value, {name: flags.FLAGS[name].parser.parse for name in words}
    )
    fixed = {flag: _PAINTING[flag].value for flag in sweep_grid.LAYERS if flag not in axes}
    name_checks.check(_NETWORK(), layers=fixed, names=axes.get("network"))
    painting, memory = style_flags.painting(_PAINTING), style_flags.limit(_RECIPE["memory"])
    settings = style_flags.settings(_PAINTING | _RECIPE)
    shared = common.start(_WORKDIR, _SEED, _PRECISION, _JIT, _SIZE)
    from tfvis.experiments import sweep

    return sweep.run(
        _NETWORK(),
        axes,
        **painting,
        settings=settings,
        memory=memory,
        **shared,
    )


if __name__ == "__main__":
    common.run(main, "sweep")
