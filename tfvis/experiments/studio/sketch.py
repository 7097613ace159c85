"""A sketch by the optimiser, for a painting that no network here paints in one pass."""

from collections.abc import Iterator

from tfvis import images
from tfvis.experiments.studio import fast_preview
from tfvis.experiments.studio.optimizer_painting import Step, Task
from tfvis.style import color, sketches, transfer
from tfvis.style.transfer import Scene


def paint(task: Task, sketcher: sketches.Sketcher) -> Iterator[Step]:
    """Sketches, at the size of a preview, with what is wished of strength, strokes and colours.

    Args:
        task: what like what.
        sketcher: of the network of styles.

    Raises:
        InputError: see `Sketcher.sketch`.
    """
    wish, content = task.wish, images.of_area(task.content, fast_preview.SIZE)
    side = max(round(fast_preview.SIZE * wish.strokes), 32)
    styles, seen = [images.of_area(style, side) for style in task.styles], content
    if wish.keep_colors:
        seen = color.luminance(content)
        styles = [color.match_luminance(color.luminance(style), seen) for style in styles]
    # With a mask each by itself, the outer one first.
    parts = [(styles, task.weights)]
    if task.mask is not None:
        parts = [([style], ()) for style in reversed(styles)]
    picture, total = content, len(parts) * sketches.TOTAL
    for part, (blend, weights) in enumerate(parts, 1):
        mask, outside = task.mask if part == len(parts) else None, picture
        scene = Scene(seen, tuple(blend), weights)
        for done, small in sketcher.sketch(scene, wish.transfer().ratio):
            done += (part - 1) * sketches.TOTAL
            made = transfer.enlarged(small, seen, content.shape[:2])
            if wish.keep_colors:
                made = color.with_luminance_of(content, made)
            picture = fast_preview.within(mask, made, outside)
            yield Step(picture, done / total, None, done, total)
