"""What is said of a network that paints: held-out pictures in all its styles, a card, its way."""

import pathlib

import numpy as np

from tfvis import files, images, tables
from tfvis.report import markdown, sheets
from tfvis.style.fast import checkpoint_files, style_loss
from tfvis.style.fast.fast_style import FastStyle

# Styles on a sheet, the side of its pictures, photographs of each.
_SHOWN, _SIDE, _COLUMNS = 12, 256, 6


def write_styles(
    workdir: pathlib.Path, styles: dict[str, np.ndarray], size: int, init: str | None
) -> None:
    """Writes style_NAME.png of each style, as it was learnt; of a checkpoint begun with, its own.

    Args:
        workdir: of the checkpoint.
        styles: {name: float32 [height, width, 3], 0..255}.
        size: see `style_loss.fitted`.
        init: the checkpoint begun with, or None.
    """
    fitted = style_loss.fitted(list(styles.values()), size, 3)
    for name, pixels in zip(styles, fitted, strict=True):
        images.save_png(checkpoint_files.picture(workdir, name), pixels)
    if init is None:
        return
    folder, said = checkpoint_files.named(init, "init")
    for name in said["styles"]:
        source = checkpoint_files.picture(folder, name)
        if source.is_file():
            pixels = images.read(source).pixels
            images.save_png(checkpoint_files.picture(workdir, name), pixels)


def write_sheet(
    workdir: pathlib.Path, style: FastStyle, held_out: list[np.ndarray]
) -> pathlib.Path:
    """Writes sheet.png: a row for each style, the last to be added if there are many.

    And held_out/, with all of the photographs.

    Args:
        workdir: of the checkpoint, which has its styles' pictures.
        style: that paints.
        held_out: float32 [side, side, 3], 0..255, that nothing was learnt from.

    Returns:
        The file.
    """
    for k, one in enumerate(held_out):
        images.save_png(workdir / f"held_out/{k:02d}.png", one)
    held_out = held_out[:_COLUMNS]
    small = [images.resize(one, _SIDE, _SIDE) for one in held_out]
    empty = np.full((_SIDE, _SIDE, 3), 250, np.uint8)
    cells = [sheets.Cell(empty, "photographs it has not seen")]
    cells += [sheets.Cell(one) for one in small]
    for name in style.styles[-_SHOWN:]:
        path, shown = checkpoint_files.picture(workdir, name), empty
        if path.is_file():
            shown = images.resize(images.crop(images.read(path).pixels), _SIDE, _SIDE)
        cells.append(sheets.Cell(shown, name))
        painted = (style.paint(one, style.mix([name])) for one in held_out)
        cells += [sheets.Cell(images.resize(one, _SIDE, _SIDE)) for one in painted]
    path = workdir / "sheet.png"
    images.save_png(path, sheets.sheet(cells, 1 + len(small)))
    return path


def write_card(workdir: pathlib.Path, style: FastStyle, command: str) -> None:
    """Writes README.md: what it paints, on what and how it was trained, by which command."""
    about, said = style.about, markdown.text
    trained, loss = about["trained"], about["loss"]
    stages = ", then ".join(
        f"{steps} steps of {side} px"
        for steps, side in (
            (trained["steps"], max(trained["size"] // 2, 32)),
            (trained["fine_steps"], trained["size"]),
        )
        if steps
    )
    began = "trained from the start"
    if about["init"]:
        before = said(str(about["init"]))
        began = f"added to the network of {before}, which stayed as it was"
        if about["fine_tuned"]:
            began = f"trained further, together with the whole network of {before}"
    lines = [
        f"# {said(workdir.resolve().name)}",
        "",
        f"Paints a picture in one pass, in {len(style.styles)} styles or a mix of them: "
        f"{', '.join(map(said, style.styles))}.",
        "",
        f"- Network: a transform network of Johnson et al. (ECCV 2016), {style.architecture.width} "
        f"channels at its widest size, {style.architecture.blocks} residual blocks, conditional "
        "instance normalisation (Dumoulin et al., ICLR 2017), "
        f"{style.model.count_params():,} weights.",
        f"- {', '.join(map(said, about['trained_styles']))}: {began}; {stages}, {trained['batch']} "
        f"photographs each of {about['photographs']}, seed {trained['seed']}.",
        f"- Loss: {said(about['network'])}, recipe {loss['recipe']}, ratio {loss['ratio']:g}; "
        f"content {', '.join(map(said, loss['content_layers']))}; style "
        f"{', '.join(map(said, loss['style_layers']))}. At the end {about['energy']:.3f} of what a "
        "photograph that is not painted has.",
        f"- Made in {about['seconds']} s by",
        "",
        f"      {markdown.line(command)}",
    ]
    files.write_text(workdir / "README.md", "\n".join(lines) + "\n")


def write_history(workdir: pathlib.Path, history: list[dict]) -> None:
    """Writes training.csv: the terms of the loss over the steps, means since the row before."""
    # The last stage has a term of its own.
    columns = list(dict.fromkeys(name for row in history for name in row))
    rows = [[row.get(name, "") for name in columns] for row in history]
    tables.write(
        workdir / "training.csv",
        columns,
        ([f"{v:.6g}" if isinstance(v, float) else v for v in row] for row in rows),
    )
