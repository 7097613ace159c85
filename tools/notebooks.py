"""The notebooks of docs/notebooks, executed in place: `sh run.sh notebooks [NAME ...]`.

Pictures in them are kept as JPEGs and what says when and where they ran is left out, so that a
notebook stays small and two runs differ by what they found only.
"""

import base64
import io
import os
import pathlib
import sys

import nbclient
import nbformat
import PIL.Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "notebooks"
# Above it a JPEG of such figures cannot be told from the PNG.
_QUALITY = 85
# The longest a cell may take: several pre-images of VGG16 on two slow cores.
_SECONDS = 3600


def names() -> list[str]:
    """Returns the names of all notebooks."""
    return sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def executed(chosen: list[str], environment: dict[str, str]) -> list[nbformat.NotebookNode]:
    """Returns notebooks with the outputs of this run: each begins with no name defined.

    Args:
        chosen: names of the files, without their ending; one kernel executes them in turn.
        environment: variables beside those of this process.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised.
    """
    books = [nbformat.read(FOLDER / f"{name}.ipynb", as_version=4) for name in chosen]
    clients = [
        nbclient.NotebookClient(
            book, timeout=_SECONDS, kernel_name="python3", record_timing=False,
            coalesce_streams=True,
        )
        for book in books
    ]  # fmt: skip
    first = clients[0]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TQDM_DISABLE": "1"} | environment
    with first.setup_kernel(cwd=str(ROOT), env=environment):
        for client in clients:
            client.km, client.kc = first.km, first.kc
            for index, cell in enumerate(client.nb.cells):
                client.execute_cell(cell, index)
            first.kc.execute("%reset -f")
    for book in books:
        for cell in book.cells:
            if cell.cell_type == "code":
                # TensorFlow's start-up lines are of the machine.
                told = [output for output in cell.outputs if output.get("name") != "stderr"]
                cell.outputs = [_small(output) for output in told]
        book.metadata.language_info = {"name": "python"}
    return books


def _small(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Returns an output with its picture, if it has one, as a JPEG."""
    encoded = output.get("data", {}).pop("image/png", None)
    if encoded:
        picture = PIL.Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB")
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
        output.data["image/jpeg"] = base64.b64encode(buffer.getvalue()).decode()
        output.get("metadata", {}).pop("image/png", None)
    return output


def main(chosen: list[str]) -> None:
    """Executes notebooks and writes them back; without names, all."""
    for name in chosen or names():
        # A kernel each, which gives its memory back.
        (book,) = executed([name], {"TF_CPP_MIN_LOG_LEVEL": "3"})
        nbformat.write(book, FOLDER / f"{name}.ipynb")
        print(FOLDER / f"{name}.ipynb", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
