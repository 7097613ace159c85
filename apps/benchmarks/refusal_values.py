"""Values of flags that are wrong: out of range, of another kind, or against another flag."""

import pathlib

from . import refusal_inputs

# Flags that take a number, of each app that has flags of its own.
_NUMBERS = {
    "invert": (
        "alpha", "stop", "fine_rate", "tv_beta", "alpha_weight", "color", "gradient_ratio",
        "bound", "leak", "momentum", "tv_weight", "rate",
    ),
    "maximize": ("strength", "diversity_weight"), "caricature": ("rate",),
    "stylize": ("ratio", "style_scale"),
    "texture": ("tv_weight", "rate"), "train": ("rate", "adapt_weight"), "tag": ("threshold",),
    "sweep": ("style_scale",), "localize": ("threshold",), "demo": ("minutes",), "styles": ("eps",),
}  # fmt: skip
_WHOLE = {
    "invert": ("steps", "size", "seed", "jitter", "restarts", "fine_steps", "stop_window"),
    "stylize": ("evaluations", "size", "history"),
    "train": ("batch", "views", "epochs", "size", "per_class", "stylised"),
    "localize": ("boxes",), "deconv": ("top", "size", "seed"), "classify": ("top",),
    "compare": ("count", "size", "steps", "seed"),
    "styles": ("size", "min_samples", "min_cluster_size"),
    "maximize": ("size", "diversity"), "attend": ("size",), "benchmark": ("rounds", "count"),
}  # fmt: skip


def numbers() -> list[tuple[str, str, str]]:
    """Returns (app, flag, value) where the value is no number, or none of use."""
    found = []
    for app, flags in _NUMBERS.items():
        for place, flag in enumerate(flags):
            values = ("nan", "-inf", "1e999", "-1", "much", "")
            found += [(app, flag, value) for value in (values if not place else values[:4])]
    for app, flags in _WHOLE.items():
        found += [(app, flag, value) for flag in flags for value in ("-3", "1.5", "9" * 30)]
    return found


def words() -> list[tuple[str, str, str]]:
    """Returns (app, flag, value) where the value is wrong whatever else is said."""
    return [
        ("invert", "layers", "conv9"), ("invert", "layers", ","), ("invert", "size", "0"),
        ("invert", "layers", "one\ntwo"), ("invert", "size", "99999999999"),
        ("invert", "mask_channels", "9-2"), ("invert", "mask_channels", "99"),
        ("invert", "mask_window", "1,2"), ("invert", "mask_window", "0,0,0,0"),
        ("invert", "mask_window", "900,900,2,2"), ("invert", "mask_window", "-1,0,2,2"),
        ("invert", "steps", "0"), ("invert", "output", "boxes"),
        ("invert", "stage", "deploy"), ("invert", "until", "conv1"),
        ("invert", "restarts", "2000000000"), ("invert", "size", "100000"),
        ("invert", "second_network", "pacs_vgg17"), ("invert", "second_network", "vgg16,vgg19"),
        ("invert", "second_network", "/nowhere.keras"), ("invert", "second_network", ""),
        ("invert", "second_network", "hog"), ("invert", "reference_images", "/nowhere"),
        ("invert", "recipe", "magic"), ("caricature", "recipe", "magic"),
        ("invert", "prior", "magic"),
        ("maximize", "parameterization", "waves"), ("maximize", "diversity", "0"),
        ("maximize", "diversity", "17"), ("maximize", "transparency", "some"),
        ("maximize", "reference_images", "/nowhere"),
        ("compare", "networks", "vgg16"), ("compare", "networks", "vgg16,nothing"),
        ("compare", "images", "photo"), ("compare", "images", "photo=/nowhere"),
        ("compare", "layers", "zzz"), ("compare", "control", "vgg17"),
        ("compare", "sections", "all"), ("compare", "count", "3"), ("compare", "steps", "0"),
        ("maximize", "units", "conv1:99"), ("maximize", "units", "logit:zebra"),
        ("maximize", "units", "conv1:1@x"), ("maximize", "units", refusal_inputs.ESCAPE),
        ("maximize", "units", "conv1:0@999x999"), ("maximize", "units", "conv1:9-2"),
        ("maximize", "units", "conv1:/nowhere.npy"), ("maximize", "units", "logit:1:2"),
        ("maximize", "units", "classes:0@1x1"), ("maximize", "size", "100000"),
        ("caricature", "layers", "all,zzz"), ("caricature", "crop", "up"),
        ("deconv", "top", "0"), ("deconv", "method", "magic"), ("deconv", "units", "conv1"),
        ("deconv", "size", "100000"), ("stylize", "style", "/nowhere.jpg"),
        ("stylize", "style_weights", "nan,1"), ("stylize", "style_weights", "nan"),
        ("stylize", "style_weights", "-1"), ("stylize", "content_layers", "zzz"),
        ("stylize", "style_layers", "classes"), ("stylize", "style_layers", "mean"),
        ("stylize", "memory", "much"), ("stylize", "memory", "1KiB"), ("stylize", "memory", "nan"),
        ("stylize", "memory", "-2GiB"), ("stylize", "style_mask", "/nowhere.png"),
        ("stylize", "size", "100000"), ("texture", "shape", "1x"), ("texture", "shape", "0,0"),
        ("texture", "shape", "9999999,9999999"), ("texture", "layers", "zzz"),
        ("texture", "layers", "mean"), ("texture", "layers", ","),
        ("sweep", "vary", "nothing"), ("sweep", "values", "1;;2"), ("sweep", "values", "nan;1"),
        ("train", "shares", "1,1"),
        ("train", "shares", "nan,1,1"), ("train", "shares", "-1,1,1"), ("train", "shares", "0,0,0"),
        ("train", "shares", "1e999,1,1"), ("train", "cut", "zzz"), ("train", "cut", "classes"),
        ("train", "adapt_to", "/nowhere"), ("train", "epochs", "-3"),
        ("train", "style_augment", "/nowhere"), ("train", "style_augment", "sources"),
        ("train", "held_out", "/nowhere"), ("train", "style_layer", "zzz"),
        ("train", "cache", "/dev/null/x"), ("train", "size", "100000"),
        ("attend", "class", "zebra"), ("attend", "size", "4"), ("attend", "class", "99"),
        ("attend", "size", "1000000"), ("attend", "layers", "zzz"), ("attend", "layers", "mean"),
        ("attend", "cam_layer", "zzz"), ("attend", "cam_layer", "classes"),
        ("localize", "class", "zebra"), ("localize", "map", "cam2"), ("localize", "scales", "0"),
        ("localize", "scales", "nan"), ("localize", "scales", "1e-9"), ("localize", "scales", ","),
        ("localize", "threshold", "2"), ("evaluate", "part", "most"),
        ("judge", "metrics", "auc"), ("judge", "explainers", "cam"), ("judge", "count", "0"),
        ("styles", "images", "/nowhere"), ("styles", "images", ""), ("styles", "layers", "zzz"),
        ("styles", "layers", "mean"), ("styles", "layers", ","), ("styles", "method", "kmeans"),
        ("styles", "scaling", "log"), ("styles", "layer_weights", "nan,1"),
        ("styles", "layer_weights", "-1"), ("styles", "eps", "0.5"), ("styles", "eps", "0"),
        ("styles", "min_samples", "1"), ("styles", "min_samples", "9999"),
        ("styles", "min_cluster_size", "100000"), ("styles", "size", "100000"),
        ("atlas", "images", ""), ("atlas", "layers", "zzz"), ("atlas", "units", "b:9999"),
        ("atlas", "size", "0"), ("atlas", "count", "1"), ("atlas", "find", "/nowhere.jpg"),
        ("features", "images", ""), ("features", "layer", "zzz"), ("features", "pool", "sum"),
        ("features", "size", "0"), ("features", "workers", "-1"), ("features", "engine", "spark"),
        ("features", "engine", "ray"), ("classify", "top", "0"),
        ("classify", "output", "boxes"), ("tag", "rule", "f9"), ("tag", "rule", "f2"),
        ("tag", "thresholds", "/nowhere.npz"), ("tag", "threshold", "2"),
        ("reconstruct", "what", "nothing"), ("reconstruct", "size", "-1"),
        ("reconstruct", "size", "100000"), ("reconstruct", "style_layers", "classes"),
        ("demo", "layers", "zzz"), ("demo", "classifier", "/nowhere"), ("demo", "minutes", "0"),
        ("convert", "output", "/dev/null/x.keras"), ("convert", "output", "x.txt"),
        ("convert", "until", "zzz"), ("convert", "stage", "zzz"),
        ("convert", "preprocessing", "nonsense"), ("benchmark", "table", "nothing"),
    ]  # fmt: skip


def against_another(
    picture: pathlib.Path, data: pathlib.Path
) -> list[tuple[str, str, object, dict]]:
    """Returns (app, flag, value, further flags) of which only one can be meant.

    Args:
        picture: that is sound.
        data: a labelled set.
    """
    return [
        ("classify", "checkpoint", "pacs_vgg16", {"network": "vgg16"}),
        ("classify", "labels", picture, {"network": "pacs_vgg16"}),
        ("convert", "prototxt", "x.prototxt", {}),
        ("train", "init", "pacs_vgg16", {}),
        ("tag", "threshold", "0.5", {"thresholds": picture}),
        ("invert", "weights", "random", {}),
        ("invert", "seed", "2147483647", {"restarts": "3"}),
        ("stylize", "style_weights", "0.5,0.5", {"style": picture}),
        ("stylize", "style_mask", f"{picture},{picture}", {"style": picture}),
        ("stylize", "style_mask", picture, {"style": picture}),
        ("stylize", "guides", "inside", {"recipe": "gatys", "content_mask": "/nowhere.png"}),
        ("sweep", "values", "1|2|3;4", {"vary": "ratio"}),
        ("sweep", "values", "zzz|conv1", {"vary": "style_layers"}),
        ("sweep", "values", "nan|1", {"vary": "ratio"}),
        ("train", "cut", "conv1", {"init": "pacs_vgg16"}),
        ("train", "epochs", "0", {"adapt_to": data}),
        ("train", "stylised", "2", {}), ("train", "held_out", data, {}),
        ("train", "style_augment", data, {}),
        ("invert", "reference_images", picture, {}),
        ("invert", "prior", "phase", {"recipe": "published"}),
        ("invert", "optimizer", "lbfgs", {"prior": "plug_in"}),
        ("invert", "tv_weight", "1", {"prior": "none"}),
        ("maximize", "optimizer", "lbfgs", {"parameterization": "phase"}),
        ("maximize", "jitter", "3", {"parameterization": "phase"}),
    ]  # fmt: skip
