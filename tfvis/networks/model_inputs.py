"""What a model takes: pictures, or it is refused before it is asked anything."""

import keras

from tfvis.errors import InputError


def check(model: keras.Model) -> None:
    """Raises InputError where a model takes several inputs, or one that is no picture.

    One that is no graph is told of where its graph is looked at.

    Args:
        model: whose channels are last.
    """
    taken = getattr(model, "inputs", None) or ()
    if not taken:
        return
    check_one(model)
    shape = tuple(taken[0].shape)
    if len(shape) != 4 or shape[-1] is None:
        raise InputError(
            "Expected a model whose input is [batch, height, width, channels]. "
            f"Received: {shape}{_part(model) or _laid_out(shape)}"
        )
    if (shape[1] is None) != (shape[2] is None):
        raise InputError(
            "Expected a model whose input is fixed in height and width, or in neither. "
            f"Received: {shape}"
        )


def check_one(model: keras.Model) -> None:
    """Raises InputError where a model that is a graph has not one input."""
    if len(model.inputs) != 1:
        # Any layer that needs one input alone is the end of such a part.
        pictures = [k for k, one in enumerate(model.inputs) if len(one.shape) == 4]
        whole = ""
        if pictures:
            whole = (
                f". Save the part that sees a picture by itself: keras.Model(model.inputs["
                f"{pictures[0]}], model.get_layer(NAME).output), NAME being a layer that needs no "
                "other input"
            )
        raise InputError(
            "Expected a model with one image input. "
            f"Received: {len(model.inputs)} inputs{_part(model) or whole}"
        )


def _part(model: keras.Model) -> str:
    """Returns a sentence on a model within a model that takes a picture alone, or ""."""
    for layer in model.layers:
        wrapped = isinstance(layer, keras.layers.Wrapper)  # As of every frame of a video.
        inner = layer.layer if wrapped else layer
        taken = getattr(inner, "inputs", None) if isinstance(inner, keras.Model) else None
        if taken and len(taken) == 1 and len(taken[0].shape) == 4:
            got = f"model.get_layer({layer.name!r}){'.layer' if wrapped else ''}"
            return f". Its part {inner.name} takes one picture: save that by itself, {got}.save"
    return ""


def _laid_out(shape: tuple[int | None, ...]) -> str:
    """Returns what to do with a model of pictures that are laid out otherwise, or ""."""
    if len(shape) > 4:
        return ". Save what it does to one picture as a model of its own"
    if len(shape) == 4 or None in shape[1:]:
        return ""
    return (
        ". If these are pictures laid out otherwise, save keras.Sequential([keras.Input((height, "
        f"width, channels)), keras.layers.Reshape({shape[1:]}), model])"
    )
