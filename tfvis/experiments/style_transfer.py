"""Style transfer: the picture, its scene, its colours, its sheet."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from tfvis import images
from tfvis.errors import InputError, arg
from tfvis.experiments import (
    messages,
    networks,
    optimization_tasks,
    outcome,
    style_pages,
    style_runs,
    workdirs,
)
from tfvis.networks.network import Network
from tfvis.report import sheets
from tfvis.style import color, guidance, metrics, scale_control, targets
from tfvis.style.transfer import Scene, Transfer

# A sheet shows pictures at this size at most, so that it can be looked at.
_SHOWN = 512


@dataclasses.dataclass(frozen=True)
class Painting:
    """What is painted like what.

    Attributes:
        content: float32 [height, width, 3], as read.
        styles: likewise.
        weights: of the blend, or empty.
        style_scale: size of the styles, relative to the picture's.
        color: "none", "match" or "luminance".
        mask: colour-coded, of the content; or None.
        style_masks: one per style, or none.
        fine: a style whose fine texture is taken, or None.
    """

    content: np.ndarray
    styles: Sequence[np.ndarray]
    weights: tuple[float, ...] = ()
    style_scale: float = 1.0
    color: str = "none"
    mask: np.ndarray | None = None
    style_masks: Sequence[np.ndarray] = ()
    fine: np.ndarray | None = None


@workdirs.kept
def run(
    wanted,
    content: np.ndarray,
    styles: Sequence[np.ndarray],
    *,
    workdir: pathlib.Path | str,
    settings: Transfer = Transfer(),
    content_layers: Sequence[str] | None = None,
    style_layers: Sequence[str] | None = None,
    size: int = 512,
    memory: int | None = None,
    seed: int = 0,
    precision: str = "auto",
    jit: str = "auto",
    arguments: dict | None = None,
    **painted,
) -> outcome.Outcome:
    """Paints a picture in the style of others, or takes it over where it was finished before.

    Args:
        wanted: the one network, or `networks.Wanted`.
        content: float32 [height, width, 3], RGB, 0..255.
        styles: likewise, one or more.
        workdir: for all results.
        settings: constants; None among them are the recipe's.
        content_layers, style_layers, precision, jit: see `style_runs.settled`.
        size: side of a square of as many pixels as the picture.
        memory: bytes to keep to, see `style_runs.planned`.
        seed: of the noise.
        arguments: for the manifest.
        **painted: the rest of a `Painting`.

    Raises:
        InputError: masks that do not fit, a size that does not, divergence.
    """
    painting = Painting(content, styles, **painted)
    network = networks.only(wanted, "sweep compares several")
    settings = style_runs.settled(
        settings, network, workdir, precision, jit, content_layers, style_layers
    )
    piece = piece_of(painting, network, settings, size, seed)
    if network.fixed_size not in (None, piece.scene.size):
        seen = " x ".join(map(str, network.fixed_size))
        messages.note(
            f"{network.name} looks at {seen} px only, into which pictures are squeezed: what is "
            "finer is painted hardly, or not at all."
        )
    records = style_runs.run([piece], workdir, memory, seed, arguments)
    style_runs.note_stuck(records, network.name, "content_layers", "style_layers")
    made = images.read(workdir / records[0]["file"]).pixels
    page = sheet(painting, piece, metrics.resized(content, size), made)
    optimization_tasks.save_pages(workdir, {"sheet": page})
    shown = style_pages.transfer(records[0], workdir, content, piece.scene.styles)
    return style_runs.told(records, workdir, shown)


def piece_of(
    painting: Painting, network: Network, settings: Transfer, size: int, seed: int
) -> style_runs.Piece:
    """Returns the picture to make, its scene in the colours asked for; arguments as `run`."""
    channels, side = network.channels, max(round(size * painting.style_scale), 32)
    content = metrics.resized(painting.content, size)
    fitted = [metrics.resized(style, side) for style in painting.styles]
    if painting.fine is not None:
        messages.say("Mixing the scales of two styles ...")
        fine = metrics.resized(painting.fine, side)
        fitted = [scale_control.mixed(network, fine, style, settings, seed) for style in fitted]
    finish = lambda pictures: pictures  # noqa: E731
    shown = content
    if painting.color == "match":
        fitted = [color.match(style, content) for style in fitted]
    elif painting.color == "luminance":
        shown = color.luminance(content)
        fitted = [color.match_luminance(color.luminance(style), shown) for style in fitted]

        def finish(pictures):
            # On their way they are smaller.
            colors = images.resize(content, *pictures.shape[1:3])
            return np.stack([color.with_luminance_of(colors, one) for one in pictures])

    scene = Scene(
        images.with_channels(shown, channels),
        tuple(images.with_channels(style, channels) for style in fitted),
        painting.weights,
        _regions(painting),
    )
    piece = style_runs.Piece(
        name="stylized",
        path=pathlib.PurePosixPath("stylized.png"),
        network=network,
        scene=scene,
        settings=settings,
        finish=finish,
        judged=(images.with_channels(content, channels), scene.styles),
        about={"color": painting.color},
    )
    return dataclasses.replace(piece, stills=style_runs.stills(piece.total))


def _regions(painting: Painting) -> tuple[targets.Region, ...]:
    if painting.mask is None:
        return ()
    masks, styles = list(painting.style_masks), painting.styles
    pairs = [(painting.mask, painting.content, "mask")]
    pairs += [(mask, style, "style_masks") for mask, style in zip(masks, styles, strict=False)]
    for mask, picture, argument in pairs:
        apart = (mask.shape[0] / mask.shape[1]) / (picture.shape[0] / picture.shape[1])
        if not 0.95 < apart < 1.05:
            raise InputError(
                f"{arg(argument)}: {mask.shape[1]} x {mask.shape[0]} px, and its picture has "
                f"{picture.shape[1]} x {picture.shape[0]}: another shape. Paint the mask over "
                "the picture."
            )
    return tuple(targets.Region(*one) for one in guidance.paired(painting.mask, masks, len(styles)))


def shown(pixels: np.ndarray, largest: int = _SHOWN) -> np.ndarray:
    """Returns a picture whose longer side is at most `largest`, for a sheet."""
    side = max(pixels.shape[:2])
    if side <= largest:
        return pixels
    return images.resize(pixels, *(max(s * largest // side, 1) for s in pixels.shape[:2]))


def sheet(
    painting: Painting, piece: style_runs.Piece, content: np.ndarray, result: np.ndarray
) -> np.ndarray:
    """Returns content, styles as they were taken, masks and result, side by side."""
    styles, weights = piece.scene.styles, painting.weights
    cells = [sheets.Cell(shown(content), "content")]
    if painting.mask is not None:
        # At the content's size: the sheet's cells are as large as the largest.
        mask = images.resize(painting.mask, *cells[0].pixels.shape[:2])
        cells.append(sheets.Cell(mask, "regions"))
    for k, style in enumerate(styles):
        title = "style" if len(styles) == 1 else f"style {k + 1}"
        cells.append(sheets.Cell(shown(style), title, f"weight {weights[k]:g}" if weights else ""))
    height, width = result.shape[:2]
    cells.append(sheets.Cell(shown(result), "result", f"{width} x {height} px"))
    return sheets.sheet(cells, len(cells) if len(cells) <= 4 else -(-len(cells) // 2))
