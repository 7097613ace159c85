"""What is said of units that were raised: how they answer their pictures, and which do not."""

import pathlib

from tfvis.errors import InputError, arg
from tfvis.experiments import messages, unit_numbers
from tfvis.preimages import natural_activations
from tfvis.words import some

# Less than this share of the largest would be printed as none of it.
_LEAST = 0.1


def tell_of_silent(records: list[dict], workdir: pathlib.Path) -> None:
    """Says which units nothing raised, and which only rose to an answer that is none yet.

    Raises:
        InputError: none rose at all.
    """
    called = names(records)
    still = [n for n, r in zip(called, records, strict=True) if not r["raised"] and not r["rose"]]
    short = [n for n, r in zip(called, records, strict=True) if not r["raised"] and r["rose"]]
    if records and len(still) == len(records):
        raise InputError(
            f"Nothing raised {some(still)}: the pictures in {workdir} show what noise and "
            f"prior leave, not what was looked for. Choose other {arg('units')}, or more "
            f"{arg('steps')}."
        )
    if still:
        messages.say(f"Nothing raised {some(still)}; the sheet says so.")
    if short:
        messages.say(
            f"Not raised above 0: {some(short)}; the sheet says so. More {arg('steps')} may do it."
        )


def several(records: list[dict]) -> bool:
    """Tells whether records are of several networks."""
    return len({record["network"] for record in records}) > 1


def names(records: list[dict]) -> list[str]:
    """Returns a name for each record, with that of its network where there are several."""
    apart = several(records)
    return [f"{r['network']}/{title(r)}" if apart else title(r) for r in records]


def title(record: dict) -> str:
    """Returns a unit's name, and which of its pictures a record is of where there are several."""
    count = record["settings"]["diversity"]
    which = f", {record['picture']} of {count}" if count > 1 else ""
    return f"{record['layer']}:{record['unit']}{which}"


def lines(records: list[dict]) -> list[str]:
    """Returns the results in words."""
    return [
        f"{name:<28} activation {record['activation']:9.1f}  {answer(record):<40}  "
        f"{record['seconds']:6.1f} s  {record['file']}{unit_numbers.words(record)}"
        for name, record in zip(names(records), records, strict=True)
    ]


def answer(record: dict) -> str:
    """Returns how a unit answers its picture beside photographs, in words."""
    if not record["raised"]:
        return "not above 0 yet" if record["rose"] else "nothing raised it"
    count = record["photographs"]
    of_all = f"of {natural_activations.photographs(count)}"
    largest = "largest mean" if record.get("means") else "largest"
    if record["times_largest"] is None:
        return f"none {of_all} excites it" if count > 1 else "the one photograph leaves it cold"
    if record["times_largest"] < _LEAST:
        return f"below {_LEAST} x the {largest} {of_all}"
    return f"{record['times_largest']:.1f} x the {largest} {of_all}"
