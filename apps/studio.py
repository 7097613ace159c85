"""A page for people without a terminal: a photograph, a painting, and what networks see.

    python -m apps.studio

Opens at http://127.0.0.1:7860, for this machine alone, and asks nothing of any other. Drop a
photograph and choose or drop a painting: a preview comes at once, then the optimiser paints it,
and one watches. The other half of the page shows what networks keep of a picture, what they look
for in it, where they look, and what they call it.

What people bring and make lies in --workdir, each browser's apart from the others', and goes after
a day. It needs Gradio: `sh run.sh studio` installs it, or pip install -r
requirements-studio.txt.
"""

import importlib.util

from absl import flags

from tfvis.errors import InputError

from .flags import common, paths

_PORT = flags.DEFINE_integer("port", 7860, "Of this machine's own address.", 1024, 65535)
_FAST = flags.DEFINE_string(
    "fast",
    None,
    "A checkpoint of apps.train_style, whose styles are offered; left out, those that come along.",
)
_NETWORK = flags.DEFINE_string(
    "network", "vgg16", "Whose layers and units are shown, and whose features styles are of."
)
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", "pacs_none_vgg16", "A classifier, whose eyes and names are shown."
)
_WORKDIR = paths.define(
    "workdir", "out/studio", paths.made, "Folder for what people bring and make."
)


def main():
    """Reads the flags, then TensorFlow, then serves the page until it is interrupted."""
    if importlib.util.find_spec("gradio") is None:
        raise InputError(
            "The page is made with Gradio, which is not installed. Type: sh run.sh studio (or pip "
            "install -r requirements-studio.txt)."
        )
    from tfvis.networks import registry
    from tfvis.style.fast import checkpoint_files

    registry.check(_NETWORK.value)
    registry.found_checkpoint(_CHECKPOINT.value, "checkpoint")
    if _FAST.value:
        checkpoint_files.named(_FAST.value)
    shared = common.start(_WORKDIR, _FAST, _NETWORK, _CHECKPOINT, _PORT)
    shared.pop("arguments")
    from .studio_page import server

    server.serve(**shared, tell=common.tell)


if __name__ == "__main__":
    common.run(main, "studio")
