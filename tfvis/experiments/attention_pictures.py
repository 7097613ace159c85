"""What attention makes of one picture: its record, and its files."""

import numpy as np

from tfvis import images
from tfvis.attention import class_visual_backprop, overlays, visual_backprop
from tfvis.attention.product import product
from tfvis.experiments import attention_models
from tfvis.experiments.attention_models import AttentionModel
from tfvis.report import sheets

_THUMBNAIL = 224
# The mask for the eye, of networks whose own has a grid of dots.
EVENED = "mask_shown"
# What is shown to a power, and to which: values of each span orders of magnitude.
ROOTS = {
    "mask": visual_backprop.ROOT,
    "product": visual_backprop.ROOT,
    "class_vbp": class_visual_backprop.ROOT,
}


def look(
    model: AttentionModel, pixels: np.ndarray, chosen: tuple[int, str] | None, steps: bool
) -> dict:
    """Looks at a picture; returns what to tell of it, and its files as "written".

    Args:
        model: the network.
        pixels: float32 [height, width, 3], 0..255.
        chosen: (number, name) of the class, or None for the likeliest.
        steps: whether masks are shown layer by layer.
    """
    height, width = pixels.shape[:2]
    frame = model.frame(pixels)
    prepared = model.prepared(attention_models.cut(pixels, frame))
    seen = model.explain(prepared)
    index, name = None, ""
    maps = {} if seen.shown is None else {"mask": seen.shown}
    if seen.answers is not None:
        index = chosen[0] if chosen else int(seen.answers.argmax())
        name = chosen[1] if chosen else model.classes[index]
        maps["gradcam"] = model.class_map(seen, index)
        if "mask" in maps:
            maps["product"] = product(seen.shown, maps["gradcam"])
        if model.seeds:
            found = model.class_backprop(seen, index, shown=True)
            maps["class_vbp"] = found / found.max() if found.any() else found
    small = attention_models.thumbnail(pixels, attention_models.LARGEST)
    inner = attention_models.at_size(frame, (height, width), small.shape[:2])
    del pixels  # The largest arrays are not held together.
    placed = {
        word: attention_models.placed(found, inner, *small.shape[:2])
        for word, found in maps.items()
    }
    written = {}
    if "mask" in placed:
        mask = attention_models.placed(seen.mask, frame, height, width)
        written["mask.png"] = overlays.mask16(mask)
        shown = placed["mask"] ** ROOTS["mask"]
        written["overlay.png"] = images.png(overlays.overlay(small, shown))
        if not np.array_equal(seen.shown, seen.mask):
            evened = attention_models.placed(seen.shown, frame, height, width)
            written[f"{EVENED}.png"] = overlays.mask16(evened)
    for word in ("gradcam", "product", "class_vbp"):
        if word in placed:
            shown = placed[word] ** ROOTS.get(word, 1)
            written[f"{word}.png"] = images.png(overlays.heat(small, shown))
    if steps and "mask" in placed:
        written["steps.png"] = images.png(_steps(seen))
    return {
        "class": name or None,
        "answer": None if index is None else round(float(seen.answers[index]), 6),
        "top": attention_models.top(model, seen.answers),
        "probabilities": model.probable,
        "seen_at": list(prepared.shape[1:3]),
        "empty": [word for word, found in maps.items() if not found.any()],
        "written": written,
    }


def _steps(seen: attention_models.Explanation) -> np.ndarray:
    """Returns the masks from the deepest layer to the picture, as one page."""
    cells = []
    for layer, values in (*seen.steps.items(), ("mask", seen.shown)):
        height, width = attention_models.fitted(*seen.mask.shape, _THUMBNAIL)
        # Not smoothed: each place of a map a block, so that its fineness is seen.
        rows = np.arange(height) * values.shape[0] // height
        columns = np.arange(width) * values.shape[1] // width
        shown = values[rows][:, columns] ** ROOTS["mask"]
        size = f"{values.shape[1]} x {values.shape[0]}"
        cells.append(sheets.Cell(_grey(shown), layer, size))
    return sheets.sheet(cells)


def _grey(values: np.ndarray) -> np.ndarray:
    span = values.max() - values.min()
    return (255 * (values - values.min()) / (span if span > 0 else 1))[..., None]
