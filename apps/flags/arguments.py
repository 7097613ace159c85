"""The flags that the library's arguments come from, for what it says of them."""

from absl import flags

from tfvis.errors import InputError, Text

# {argument: flags that may give it}, where they are not of one name: the first that the running
# app has.
_FLAGS: dict[str, tuple[str, ...]] = {}


def flagged(said: str | Exception) -> str:
    """Returns words of the library with each argument as the flag of the running app.

    Args:
        said: a `Text`, an InputError; of anything else, its words.
    """
    text = said.args[0] if isinstance(said, InputError) else said
    return text.spelled(_spelled) if isinstance(text, Text) else str(said)


def _spelled(argument: str) -> str:
    for flag in (argument, *_FLAGS.get(argument, ())):
        if flag in flags.FLAGS:
            return f"--{flag}"
    return argument
