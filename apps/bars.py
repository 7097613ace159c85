"""The progress bar of work that is counted in pictures or epochs."""

import sys

import tqdm


def bar(word: str, total: float) -> tqdm.tqdm:
    """Returns a bar with the time that is left, on stderr.

    Args:
        word: what is being done.
        total: of what is counted.
    """
    return tqdm.tqdm(
        total=total,
        desc=word,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        mininterval=0.2 if sys.stderr.isatty() else 15,
        # Work of two seconds needs none.
        delay=1,
        file=sys.stderr,
    )
