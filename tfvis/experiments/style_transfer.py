"""The picture of `stylize`: its scene, its colours, its sheet."""

import dataclasses
import pathlib

import numpy as np

from tfvis import images
from tfvis.errors import InputError, arg
from tfvis.experiments import messages, runner, style_runs
from tfvis.networks.network import Network
from tfvis.report import sheets, tensorboard
from tfvis.style import color, guidance, metrics, scale_control, targets
from tfvis.style.transfer import Scene, Transfer

# A sheet shows pictures at this size at most, so that it can be looked at.
_SHOWN = 512


@dataclasses.dataclass(frozen=True)
class Job:
    """What to paint, and where to put it.

    Attributes:
        network: the network.
        content: float32 [height, width, 3], as read.
        styles: likewise.
        weights: of the blend, or empty.
        size: side of a square of as many pixels as the picture.
        style_scale: size of the styles, relative to the picture's.
        color: "none", "match" or "luminance".
        mask: colour-coded, of the content; or None.
        style_masks: one per style, or none.
        fine: a style whose fine texture is taken, or None.
        settings: constants.
        limit: bytes of memory.
        seed: of the noise.
        workdir: exists and is writable.
        arguments: of the command, for the manifest.
    """

    network: Network
    content: np.ndarray
    styles: tuple[np.ndarray, ...]
    weights: tuple[float, ...]
    size: int
    style_scale: float
    color: str
    mask: np.ndarray | None
    style_masks: tuple[np.ndarray, ...]
    fine: np.ndarray | None
    settings: Transfer
    limit: int
    seed: int
    workdir: pathlib.Path
    arguments: dict


def run(job: Job) -> dict:
    """Paints the picture, or takes it over where it was finished before.

    Returns:
        The manifest's record.

    Raises:
        InputError: masks that do not fit, a size that does not, divergence.
    """
    piece, plan = style_runs.planned(piece_of(job), job.limit)
    task = style_runs.task(piece, job.workdir, job.seed)
    style_runs.announce(
        style_runs.ahead([task], [plan], job.workdir, style_runs.FIELDS), job.network
    )
    with tensorboard.Writer(job.workdir / "tensorboard") as writer:
        header = style_runs.header([piece], job.arguments)
        (result,) = runner.run([task], job.workdir, header, writer, style_runs.FIELDS)
        page = sheet(job, piece, images.read(job.workdir / result["file"]).pixels)
        images.save_png(job.workdir / "sheet.png", page)
        writer.images("sheet", page[None], 0)
    return result


def piece_of(job: Job) -> style_runs.Piece:
    """Returns the picture to make, its scene in the colours asked for."""
    channels = job.network.channels
    content = metrics.resized(job.content, job.size)
    fitted = [
        metrics.resized(style, max(round(job.size * job.style_scale), 32)) for style in job.styles
    ]
    if job.fine is not None:
        messages.say("Mixing the scales of two styles ...")
        fine = metrics.resized(job.fine, max(round(job.size * job.style_scale), 32))
        fitted = [scale_control.mixed(job.network, fine, s, job.settings, job.seed) for s in fitted]
    finish = lambda pictures: pictures  # noqa: E731
    shown = content
    if job.color == "match":
        fitted = [color.match(style, content) for style in fitted]
    elif job.color == "luminance":
        shown = color.luminance(content)
        fitted = [color.match_luminance(color.luminance(style), shown) for style in fitted]

        def finish(pictures):
            return np.stack([color.with_luminance_of(content, one) for one in pictures])

    regions = _regions(job, content.shape[:2])
    scene = Scene(
        images.with_channels(shown, channels),
        tuple(images.with_channels(style, channels) for style in fitted),
        job.weights,
        regions,
    )
    piece = style_runs.Piece(
        name="stylized",
        path=pathlib.PurePosixPath("stylized.png"),
        network=job.network,
        scene=scene,
        settings=job.settings,
        finish=finish,
        judged=(images.with_channels(content, channels), scene.styles),
        about={"color": job.color},
    )
    return dataclasses.replace(piece, stills=style_runs.stills(piece.total))


def _regions(job: Job, size: tuple[int, int]) -> tuple[targets.Region, ...]:
    if job.mask is None:
        return ()
    pairs = [(job.mask, job.content, "mask")]
    pairs += [(m, s, "style_masks") for m, s in zip(job.style_masks, job.styles, strict=False)]
    for mask, picture, argument in pairs:
        apart = (mask.shape[0] / mask.shape[1]) / (picture.shape[0] / picture.shape[1])
        if not 0.95 < apart < 1.05:
            raise InputError(
                f"{arg(argument)}: {mask.shape[1]} x {mask.shape[0]} px, and its picture has "
                f"{picture.shape[1]} x {picture.shape[0]}: another shape. Paint the mask over "
                "the picture."
            )
    found = guidance.paired(job.mask, list(job.style_masks), len(job.styles))
    return tuple(targets.Region(*one) for one in found)


def shown(pixels: np.ndarray, largest: int = _SHOWN) -> np.ndarray:
    """Returns a picture whose longer side is at most `largest`, for a sheet."""
    side = max(pixels.shape[:2])
    if side <= largest:
        return pixels
    return images.resize(pixels, *(max(s * largest // side, 1) for s in pixels.shape[:2]))


def sheet(job: Job, piece: style_runs.Piece, result: np.ndarray) -> np.ndarray:
    """Returns content, styles as they were taken, masks and result, side by side."""

    styles = piece.scene.styles
    cells = [sheets.Cell(shown(metrics.resized(job.content, job.size)), "content")]
    if job.mask is not None:
        # At the content's size: the sheet's cells are as large as the largest.
        cells.append(sheets.Cell(images.resize(job.mask, *cells[0].pixels.shape[:2]), "regions"))
    for k, style in enumerate(styles):
        title = "style" if len(styles) == 1 else f"style {k + 1}"
        note = f"weight {job.weights[k]:g}" if job.weights else ""
        cells.append(sheets.Cell(shown(style), title, note))
    height, width = result.shape[:2]
    cells.append(sheets.Cell(shown(result), "result", f"{width} x {height} px"))
    return sheets.sheet(cells, len(cells) if len(cells) <= 4 else -(-len(cells) // 2))
