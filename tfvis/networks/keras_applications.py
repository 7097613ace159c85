"""Networks of keras.applications, built as in a fresh process."""

import re

import keras


def build(constructor, pretrained: str | None, top: bool) -> keras.Model:
    """Calls a keras.applications function; its layers are named as in a fresh process.

    Keras numbers layers without a name through the life of a process, so that the same
    layer of a second InceptionV3 would be conv2d_94 in place of conv2d.
    """
    model = constructor(weights=pretrained, include_top=top)
    numbered: dict[str, list[tuple[int, keras.Layer]]] = {}
    for layer in model.layers:
        plain = re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", type(layer).__name__).lower()
        match = re.fullmatch(rf"{plain}(?:_(\d+))?", layer.name)
        if match:
            numbered.setdefault(plain, []).append((int(match[1] or 0), layer))
    for plain, layers in numbered.items():
        first = min(number for number, _ in layers)
        for number, layer in layers:
            layer.name = f"{plain}_{number - first}" if number > first else plain
    return model
