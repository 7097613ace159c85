"""The half of looking: a picture; its names and where they are seen; layers; units."""

import gradio as gr

from tfvis.errors import InputError

from . import look_words as words
from .handlers import brought
from .parts import part
from .tokens import known

_LOOK_S = 1.0
_ANY = "the likeliest"


def build(page: gr.Blocks, studio) -> None:
    """Builds it into the page of a `Studio`."""
    looking = studio.looking
    with gr.Row(elem_classes="studio-row"):
        with gr.Column(scale=2, min_width=300):
            picture = part("drop", {"hint": "drop it here, or choose it"}, elem_id="looked")
        with gr.Column(scale=5, min_width=320):
            _title("What is it called, and where?", "A network that learnt from photographs "
                   "and drawings")  # fmt: skip
            seen = part("wall", {}, elem_id="seen")
            of_class = gr.Dropdown(
                [_ANY], value=_ANY, label="Show where it sees", elem_id="of_class", visible=False
            )
            _title("What do its layers keep?", "Pictures from noise that are the same to a layer")
            kept = part("wall", {}, elem_id="kept")
            keep = gr.Button("Show me", elem_id="keep")
            _title("What does it look for?", "The units that your picture excites most, and a "
                   "picture drawn for each alone")  # fmt: skip
            layer = gr.Radio([], label="Depth", elem_id="layer", visible=False)
            numbers = gr.Textbox(
                "", label="These units, by number", placeholder="such as 3, 24; left out, those "
                "that your picture excites most", elem_id="numbers",
            )  # fmt: skip
            units = part("wall", {}, elem_id="units")
            draw = gr.Button("Show me", elem_id="draw")
    walls = [kept, units]

    def loaded(request: gr.Request):
        said = looking.remembered(known(request))
        try:
            layers = looking.layers
        except InputError as error:  # Weights that cannot be had, for one.
            return words.picture(said), words.seen(said, str(error)), *(gr.skip(),) * 4
        choices = [(words.depth(layers, one), one) for one in layers]
        chosen = (said["units"] or {}).get("layer", layers[len(layers) // 2])
        return (
            words.picture(said), words.seen(said), words.kept(said, layers),
            words.units(said["units"]), gr.update(choices=choices, value=chosen, visible=True),
            gr.update(visible=bool(said["seen"])),
        )  # fmt: skip

    def taken(change):
        def handler(event: gr.EventData, request: gr.Request):
            token = known(request)
            try:
                said, wrong = change(token, event._data or {}), ""
            except InputError as error:
                said, wrong = looking.remembered(token), str(error)
            return words.picture(said, wrong), words.seen(said), {}, {}

        return handler

    def see(of_class: str, request: gr.Request):
        token = known(request)
        if not looking.remembered(token)["picture"]:
            return {}, gr.update(visible=False)
        try:
            said = looking.see(token, None if of_class == _ANY else of_class)
        except InputError as error:
            return words.seen({}, str(error)), gr.skip()
        return words.seen(said), gr.update(choices=[_ANY, *looking.classes()], visible=True)

    def start(begin):
        def handler(layer: str, numbers: str, request: gr.Request):
            token = known(request)
            try:
                begin(token, layer, numbers)
            except InputError as error:
                yield {"words": str(error)}, gr.skip()
                return
            yield from follow(request)

        return handler

    def follow(request: gr.Request):
        """Shows what is being made, until it is made."""
        token = known(request)
        job = looking.job(token)
        # What yields nothing would empty its outputs.
        yield gr.skip(), gr.skip()
        if job is None:
            return
        mine = 0 if job.kind == "layers" else 1

        def shown(value):
            return tuple(value if k == mine else gr.skip() for k in range(2))

        while not job.ended:
            number = job.number
            yield shown(words.live(job, studio.line.before(job), looking.layers))
            studio.line.wait(job, number, _LOOK_S)
        if looking.job(token) is job:
            said = looking.remembered(token)
            found = words.kept(said, looking.layers) if mine == 0 else words.units(said["units"])
            yield shown(words.ended(found, job))

    quiet = {"show_progress": "hidden"}
    shown = [picture, seen, *walls]
    for event, change in (
        (picture.brought, brought(studio, looking.picture)),
        (picture.ours, lambda token, data: looking.demo(token)),
    ):
        event(taken(change), None, shown, **quiet).then(lambda: _ANY, None, of_class, **quiet).then(
            see, of_class, [seen, of_class], **quiet
        )
    of_class.input(see, of_class, [seen, of_class], **quiet)
    asked = [layer, numbers]
    keep.click(start(lambda token, *asked: looking.start_layers(token)), asked, walls, **quiet)
    for event in (draw.click, layer.input, numbers.submit):
        event(start(looking.start_units), asked, walls, **quiet)
    outputs = [*shown, layer, of_class]
    page.load(loaded, None, outputs, **quiet).then(follow, None, walls, **quiet)


def _title(words: str, about: str) -> None:
    gr.HTML(f"<h2>{words}</h2><p>{about}</p>", elem_classes="studio-title", apply_default_css=False)
