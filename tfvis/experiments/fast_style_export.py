"""A network that paints, written for other runtimes, and held beside the original."""

import numpy as np

from tfvis import files, images
from tfvis.errors import InputError, arg
from tfvis.experiments import converted_file, outcome
from tfvis.style.fast import checkpoints

# By which the file may differ, as a share of the range of a picture.
_TOLERANCE = 1e-3
# Sides of the picture both are shown: no multiples of four.
_SHOWN = (50, 75)


def run(checkpoint: str, output: str) -> outcome.Outcome:
    """Writes a network that paints as ONNX or LiteRT, if it then paints the same.

    Args:
        checkpoint: folder or name of what `fast_style_training` made.
        output: NAME.onnx or NAME.tflite.

    Raises:
        InputError: no such checkpoint; the file cannot be written, or paints something else.
    """
    path = converted_file.of_painter(output)
    files.make_folder(path.parent, "output")
    style = checkpoints.load(checkpoint)
    if path.suffix == ".onnx":
        from tfvis.style.fast import onnx_export as export
    else:
        from tfvis.style.fast import litert_export as export
    picture = images.resize(images.demo(), *_SHOWN)
    mixes = [*np.eye(len(style.styles))[[0, -1]], np.full(len(style.styles), 1 / len(style.styles))]
    with files.replacing(path, path.suffix) as temporary:
        export.write(style, temporary)
        pairs = (
            (export.painted(temporary, picture, mix), style.paint(picture, mix, margin=0))
            for mix in mixes
        )
        apart = max(float(np.abs(theirs - ours).max()) for theirs, ours in pairs)
        if not apart <= _TOLERANCE * 255:
            raise InputError(
                f"{arg('output')}={output}: what it paints is up to {apart:.3g} levels off. It is "
                "not kept."
            )
    lines = [
        f"Inputs: picture, float32 [1, height, width, 3], RGB, 0..255; mix, float32 [1, "
        f"{len(style.styles)}], the shares of {', '.join(style.styles)}. Output: painted.",
        f"On a picture of {_SHOWN[1]} x {_SHOWN[0]} px at most {apart:.2g} of 255 levels off.",
        f"Written: {path}",
    ]
    return outcome.Outcome([{"output": str(path), "levels_apart": apart}], lines)
