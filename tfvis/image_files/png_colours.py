"""What a PNG without a profile says of its numbers: gAMA, cHRM and cICP.

Of several, the first counts of cICP, iCCP, sRGB, gAMA with cHRM (PNG, third edition, 4.3); a
profile is read elsewhere (`profiles`).
"""

import dataclasses
import pathlib
import struct

from tfvis.image_files.sizes import UnreadableError

# The exponent of screens, by which a picture of light is written: 1/2.2 is as good as sRGB.
_SCREEN = 1 / 2.2
# A gamma this near to that of screens, as a share, is theirs.
_NEAR = 0.05
# Of files in use: linear light has 1, film and video 0.45 to 0.6, old computers 0.55 to 1.
_LEAST, _MOST = 0.1, 10.0
# CIE x and y of white, red, green and blue in sRGB, and by how much others may differ.
_SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_SAME = 0.01
# Transfer characteristics of ITU-T H.273: those of screens, and those that are a plain gamma.
_SCREENS, _GAMMAS = (1, 6, 13, 14, 15), {4: 1 / 2.2, 5: 1 / 2.8, 8: 1.0}
_HDR = {16: "PQ", 18: "HLG"}
# What is in front of the pixels that is looked through, chunks; texts may be many.
_CHUNKS = 10_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclasses.dataclass(frozen=True)
class Colours:
    """How a picture's numbers become those of screens.

    Attributes:
        exponent: of a number from 0 to 1; 1 where they are those of screens.
        notes: what a person should know, without the file's name.
    """

    exponent: float = 1.0
    notes: tuple[str, ...] = ()


def read(path: pathlib.Path, label: str) -> Colours:
    """Returns what a PNG says.

    Args:
        path: of a file that is a PNG.
        label: what messages begin with.

    Raises:
        UnreadableError: light beyond white (PQ, HLG), or a transfer that is not known.
    """
    found = _chunks(path)
    if len(found.get(b"cICP", b"")) == 4:
        colours = _of_code(found[b"cICP"], label)
        # A profile beside it says the same, with primaries of its own.
        return Colours() if b"iCCP" in found else colours
    if b"iCCP" in found or b"sRGB" in found:
        return Colours()
    exponent, notes = 1.0, []
    if len(found.get(b"gAMA", b"")) == 4:
        exponent, notes = _of_gamma(struct.unpack(">I", found[b"gAMA"])[0] / 100_000)
    if len(found.get(b"cHRM", b"")) == 32:
        places = (value / 100_000 for value in struct.unpack(">8I", found[b"cHRM"]))
        if any(abs(a - b) > _SAME for a, b in zip(places, _SRGB, strict=True)):
            notes.append("its primaries (cHRM) are taken for those of sRGB")
    return Colours(exponent, tuple(notes))


def _chunks(path: pathlib.Path) -> dict[bytes, bytes]:
    """Returns the chunks about colours that come before the pixels."""
    found: dict[bytes, bytes] = {}
    with open(path, "rb") as file:
        if file.read(8) != _SIGNATURE:
            return found
        for _ in range(_CHUNKS):
            head = file.read(8)
            if len(head) < 8 or head[4:] in (b"IDAT", b"IEND"):
                break
            length, kind = struct.unpack(">I4s", head)
            start = file.tell()
            if kind in (b"gAMA", b"cHRM", b"cICP", b"iCCP", b"sRGB"):
                found.setdefault(kind, file.read(min(length, 64)))
            file.seek(start + length + 4)
    return found


def _of_gamma(gamma: float) -> tuple[float, list[str]]:
    if not _LEAST <= gamma <= _MOST:
        return 1.0, [f"its gamma of {gamma:g} is passed over"]
    exponent = _SCREEN / gamma
    return (1.0 if abs(gamma / _SCREEN - 1) <= _NEAR else exponent), []


def _of_code(code: bytes, label: str) -> Colours:
    """Returns what the four numbers of cICP mean: primaries, transfer, matrix, full range."""
    primaries, transfer, matrix, full = code
    if transfer in _HDR or transfer not in (*_SCREENS, *_GAMMAS) or matrix or full != 1:
        said = f"light beyond white ({_HDR[transfer]})" if transfer in _HDR else "colours"
        raise UnreadableError(
            f"{label}: a PNG of {said} by cICP {primaries}-{transfer}-{matrix}-{full}, which is "
            "not read. Save it as sRGB.",
            "colours of a kind that is not read",
        )
    exponent, notes = _of_gamma(_GAMMAS.get(transfer, _SCREEN))
    if primaries != 1:
        notes.append(f"its primaries (cICP {primaries}) are taken for those of sRGB")
    return Colours(exponent, tuple(notes))
