"""The half of styles: photograph, paintings, wishes; a stage; what happens when."""

import base64
import binascii
import contextlib

import gradio as gr

from tfvis.errors import InputError

from . import style_words as words
from .handlers import brought
from .parts import part
from .tokens import known

# A painting on its way is looked for at least so often.
_LOOK_S = 1.0
_EFFORTS = [("quick", "quick"), ("good", "good"), ("best", "best")]


def build(page: gr.Blocks, studio) -> None:
    """Builds it into the page of a `Studio`."""
    styling = studio.styling
    with gr.Row(elem_classes="studio-row"):
        with gr.Column(scale=2, min_width=300):
            photograph = part("drop", {"hint": "drop it here, or choose it"}, elem_id="photograph")
            palette = part("palette", {"tiles": [], "chosen": {}}, elem_id="palette")
            with gr.Accordion("Only a part", open=False, elem_id="part"):
                mask = part("mask", {"key": ""}, elem_id="mask")
        with gr.Column(scale=5, min_width=320):
            stage = part("stage", {}, elem_id="stage")
            strip = part("strip", {}, elem_id="strip")
            with gr.Row(elem_classes="studio-wishes"):
                strength = gr.Slider(1, 5, 3, step=1, label="Strength", buttons=[])
                strokes = gr.Slider(0.5, 2, 1, step=0.25, label="Size of strokes", buttons=[])
                keep = gr.Checkbox(False, label="Keep the photograph's colours")
            with gr.Row(elem_classes="studio-go"):
                size = gr.Slider(256, 2048, 512, step=128, label="Size, pixels", buttons=[])
                effort = gr.Radio(_EFFORTS, value="good", label="Patience")
                with gr.Column(min_width=200):
                    paint = gr.Button("Paint it", variant="primary", elem_id="paint")
                    stop = gr.Button("Stop", elem_id="stop", visible=False)
                    time = gr.HTML("", elem_id="time", apply_default_css=False)
    wishes = [strength, strokes, keep, size, effort]
    names = ("strength", "strokes", "keep_colors", "size", "effort")
    shown = [photograph, palette, mask, stage]
    buttons = [stage, paint, stop, strip]
    same = (gr.skip(),) * 3

    def all_of(said, **wrong):
        """Returns the values of `shown`; what is wrong goes where it belongs."""
        return (
            words.photograph(said, wrong.get("photograph", "")),
            words.palette(styling.styles, said, wrong.get("palette", "")),
            words.mask(said, wrong.get("mask", "")),
            words.stage(said),
        )

    def loaded(request: gr.Request):
        said = styling.remembered(known(request))
        return *all_of(said), words.strip(said), *(said["wish"][name] for name in names)

    def changing(where: str, change):
        """Returns a handler that changes what is remembered, and shows it or what is wrong."""

        def changed(event: gr.EventData, request: gr.Request):
            token = known(request)
            try:
                return all_of(change(token, event._data or {}))
            except InputError as error:
                return all_of(styling.remembered(token), **{where: str(error)})

        return changed

    def choose(token, data):
        chosen = data.get("chosen")
        return styling.choose(token, chosen if isinstance(chosen, dict) else {})

    def draw(token, data):
        text = str(data.get("png", ""))
        if not text:
            return styling.mask(token, None)
        try:
            content = base64.b64decode(text.partition(",")[2], validate=True)
        except binascii.Error as error:
            raise InputError("This drawing did not arrive. Draw it again.") from error
        return styling.mask(token, content)

    def wished(*values):
        *values, request = values
        with contextlib.suppress(InputError):
            styling.wish(known(request), **dict(zip(names, values, strict=True)))

    def preview(request: gr.Request):
        """Shows a preview: in one pass, or where no network can, a sketch."""
        token = known(request)
        # What yields nothing would empty its outputs.
        yield gr.skip(), *same
        if words.running(job := styling.job(token)) and job.kind == "painting":
            return
        try:
            said = styling.preview(token)
            if said is not None:
                yield words.stage(said), *same
                return
            said = styling.remembered(token)
            if not (said["photograph"] and said["chosen"]):
                return
            styling.start(token, sketch=True)
        except InputError as error:
            yield words.stage(styling.remembered(token), str(error)), *same
            return
        yield from follow(request)

    def begin(request: gr.Request):
        """Paints."""
        token = known(request)
        try:
            styling.start(token)
        except InputError as error:
            yield words.stage(styling.remembered(token), str(error)), *same
            return
        yield from follow(request)

    def follow(request: gr.Request):
        """Shows what is being made, until it is made."""
        token = known(request)
        job, seen = styling.job(token), -1
        yield gr.skip(), *same
        if job is None:
            return
        painting = job.kind == "painting"
        going = gr.update(visible=not painting), gr.update(visible=painting), gr.skip()
        while not job.ended:
            seen = job.number
            yield words.live(styling.remembered(token), job, studio.line.before(job)), *going
            studio.line.wait(job, seen, _LOOK_S)
        # What came after it is followed by another.
        if styling.job(token) is job:
            said = styling.remembered(token)
            done = gr.update(visible=True), gr.update(visible=False), words.strip(said)
            yield words.ended(said, job), *done

    def halt(request: gr.Request):
        styling.stop(known(request))

    def pick(event: gr.EventData, request: gr.Request):
        made = styling.remembered(known(request))["results"][::-1]
        k = (event._data or {}).get("k")
        return words.result(made[k]) if isinstance(k, int) and 0 <= k < len(made) else gr.skip()

    def estimate(request: gr.Request):
        token = known(request)
        try:
            seconds = styling.seconds(token)
        except InputError as error:
            return str(error)
        return words.estimate(seconds)

    def then(event):
        event.then(preview, None, buttons, show_progress="hidden")
        event.then(estimate, None, time, show_progress="hidden")

    quiet = {"show_progress": "hidden", "trigger_mode": "always_last"}
    for source, where, change in (
        (photograph.brought, "photograph", brought(studio, styling.photograph)),
        (photograph.ours, "photograph", lambda token, data: styling.demo(token)),
        (palette.brought, "palette", brought(studio, styling.bring_painting)),
        (palette.chosen, "palette", choose),
        (mask.drawn, "mask", draw),
    ):
        then(source(changing(where, change), None, shown, **quiet))
    for one in (strength, strokes, size):
        then(one.release(wished_with(wished), wishes, None, **quiet))
    for one in (keep, effort):
        then(one.input(wished_with(wished), wishes, None, **quiet))
    strip.picked(pick, None, stage, show_progress="hidden")
    paint.click(begin, None, buttons, show_progress="hidden")
    stop.click(halt, None, None, show_progress="hidden")
    loading = page.load(loaded, None, [*shown, strip, *wishes], show_progress="hidden")
    loading.then(follow, None, buttons, show_progress="hidden")
    loading.then(estimate, None, time, show_progress="hidden")


def wished_with(wished):
    """Returns a handler of the five wishes; Gradio looks at its signature for the request."""

    def handler(strength, strokes, keep, size, effort, request: gr.Request):
        wished(strength, strokes, keep, size, effort, request)

    return handler
