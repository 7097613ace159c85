"""The flags of the way down an energy, the same in every app that goes it."""

import dataclasses
import pathlib

from absl import flags


def define_descent(steps: int, fine_steps: int, optimizer: str | None = "adagrad") -> dict:
    """Defines --steps to --bound.

    Args:
        steps, fine_steps: the app's defaults.
        optimizer: the app's default; None lets the recipe choose.

    Returns:
        {flag: holder}, as `settings` takes them.
    """
    number, whole = flags.DEFINE_float, flags.DEFINE_integer
    holders = (
        whole("steps", steps, "Steps with jitter at full rate.", lower_bound=1),
        whole(
            "fine_steps",
            fine_steps,
            "Steps after them, without jitter, at a lower rate.",
            lower_bound=0,
        ),
        number("fine_rate", 0.1, "Their rate, as a share of --rate.", lower_bound=1e-6),
        flags.DEFINE_enum(
            "optimizer",
            optimizer,
            ["adagrad", "adam", "lbfgs"],
            "Step rule: the published one, Adam, or L-BFGS (without jitter, colours in 0..255).",
        ),
        number(
            "rate",
            None,
            "Step rate; left out, the published one (adam, lbfgs: 4 grey levels).",
            lower_bound=0,
        ),
        number(
            "leak",
            0.9,
            "Share of the squared gradients adagrad keeps.",
            lower_bound=0,
            upper_bound=1,
        ),
        number(
            "momentum",
            0.9,
            "Share of the last change adagrad keeps.",
            lower_bound=0,
            upper_bound=1,
        ),
        whole(
            "jitter",
            None,
            "J, shifts of 0 to J - 1 px; left out, a quarter of the layer's stride.",
            lower_bound=1,
            upper_bound=256,
        ),
        number(
            "stop",
            0,
            "End a stage once the energy changes by less than this share over --stop_window "
            "steps, such as 0.01; 0 never.",
            lower_bound=0,
        ),
        whole("stop_window", 50, "Steps the energy is averaged over for --stop.", lower_bound=1),
        flags.DEFINE_bool("prior", True, "The natural-image prior; --no-prior for the ablation."),
        number("alpha", 6, "Exponent of the colour norm.", lower_bound=0.5),
        number("alpha_weight", None, "Its weight; left out, 1 / B^alpha.", lower_bound=0),
        number("tv_beta", 2, "Exponent of the total variation.", lower_bound=0.1),
        number("tv_weight", None, "Its weight; left out, 1 / V^beta.", lower_bound=0),
        number(
            "color",
            80,
            "B, the typical length of a colour vector, in grey levels.",
            lower_bound=1,
        ),
        number(
            "gradient_ratio",
            6.5,
            "B / V, V being the typical length of a gradient.",
            lower_bound=0.1,
        ),
        number("bound", None, "Longest colour vector allowed; left out, 2 B.", lower_bound=1),
    )
    return {holder.name: holder for holder in holders}


def settings(
    kind: type, holders: dict, network, target, layer: str, workdir: pathlib.Path,
    precision: str, jit: str, **more,
):  # fmt: skip
    """Returns the settings the flags describe.

    Args:
        kind: `preimages.Inversion`, `Maximization` or `Caricature`.
        holders: what `define_descent` returned.
        network, target, layer: what --jit=auto is measured on; target may be None.
        workdir: of the run.
        precision, jit: the flags' words.
        more: fields of `kind` of its own.
    """
    from tfvis import priors
    from tfvis.experiments import devices
    from tfvis.optimize import loop

    value = {name: holder.value for name, holder in holders.items()}
    prior = priors.NO_PRIOR
    if value["prior"]:
        prior = priors.NaturalPrior(
            alpha=value["alpha"],
            beta=value["tv_beta"],
            color=value["color"],
            gradient_ratio=value["gradient_ratio"],
            alpha_weight=value["alpha_weight"],
            tv_weight=value["tv_weight"],
            bound=value["bound"] or 2 * value["color"],
        )
    fields = {field.name for field in dataclasses.fields(kind)}
    return kind(
        prior=prior,
        stop=loop.Stop(value["stop"], value["stop_window"]),
        precision=devices.precision(precision),
        jit=devices.jit(jit, workdir, network, target, layer),
        **{name: value[name] for name in value if name in fields - {"prior", "stop"}},
        **more,
    )
