"""What the page of styles shows of what is remembered, as values of its parts."""

from tfvis.experiments.studio.jobs import FAILED, RUNNING, STOPPED, WAITING

from .parts import picture_url


def duration(seconds: float) -> str:
    """Returns about how long, in words."""
    if seconds < 8:
        return "a few seconds"
    if seconds < 100:
        return f"{5 * max(round(seconds / 5), 2)} seconds"
    if seconds < 5400:
        minutes = max(round(seconds / 60), 2)
        return f"{minutes} minutes"
    return f"{seconds / 3600:.1f} hours"


def photograph(said: dict, wrong: str = "") -> dict:
    """Returns the value of the photograph's place."""
    found = said["photograph"]
    shown = picture_url(found and found["shown"])
    return {"shown": shown, "said": wrong, "hint": "drop it here, or choose it"}


def palette(styles: dict, said: dict, wrong: str = "") -> dict:
    """Returns the value of the palette: styles that come along, then one's own."""
    tiles = [
        {"key": key, "title": style.title, "src": f"/studio/style/{k}"}
        for k, (key, style) in enumerate(styles.items())
    ]
    tiles += [
        {"key": one["file"], "title": f"yours {k}", "src": picture_url(one["shown"])}
        for k, one in enumerate(said["paintings"], 1)
    ]
    return {"tiles": tiles, "chosen": said["chosen"], "said": wrong}


def mask(said: dict, wrong: str = "") -> dict:
    """Returns the value of the board on which a mask is drawn."""
    found = said["photograph"]
    if not found:
        return {"hint": wrong or "Bring a photograph first.", "key": ""}
    second = len(said["chosen"]) > 1
    rest = "the second painting" if second else "a photograph"
    hint = f"Draw where to paint; the rest {'takes' if second else 'stays'} {rest}."
    return {
        "photograph": picture_url(found["shown"]), "height": found["height"],
        "width": found["width"], "hint": wrong or hint, "key": found["file"] + (wrong and "!"),
        "mask": picture_url(said["mask"]),
    }  # fmt: skip


def stage(said: dict, words: str = "") -> dict:
    """Returns the value of the stage: the last painting, or its preview, over the photograph."""
    found = said["photograph"]
    if not found:
        return {"words": words}
    value = {"before": picture_url(found["shown"]), "aspect": found["width"] / found["height"]}
    preview, results = said["preview"], said["results"]
    if preview:
        kind = {
            "preview": "A preview, in one pass. Paint it to have it properly.",
            "sketch": "A sketch by the optimiser, small and enlarged: no network here knows this "
            "painting. Paint it to have it properly.",
        }[preview["kind"]]
        tag = preview["kind"]
        value |= {"after": picture_url(preview["shown"]), "tag": tag, "words": words or kind}
    elif results and results[-1]["before"] == found["shown"]:
        value |= result(results[-1])
    else:
        value |= {"words": words}
    return value | {"first": True}


def strip(said: dict) -> dict:
    """Returns what was painted, the last first; one alone is on the stage."""
    made = said["results"][::-1]
    items = [
        {"src": picture_url(one["shown"]), "title": ", ".join(one["paintings"])} for one in made
    ]
    return {"items": items if len(items) > 1 else []}


def result(found: dict) -> dict:
    """Returns the value of the stage for a finished painting."""
    size = f"{found['width']} × {found['height']} px"
    early = "" if found["evaluations"] >= found["of"] else ", stopped early"
    height, width = found["painted_at"]
    if [height, width] != [found["height"], found["width"]]:
        early += f" at {width} × {height} px and enlarged"
    return {
        "before": picture_url(found["before"]),
        "aspect": found["width"] / found["height"],
        "after": picture_url(found["shown"]),
        "tag": "painting",
        "words": f"{size}, painted in {duration(found['seconds'])}{early}.",
        "links": [
            {"href": f"{picture_url(found['file'])}?download=1", "title": "Save the picture",
             "file": "painting.png"},
            {"href": f"{picture_url(found['manifest'])}?download=1", "title": "how it was made",
             "file": "painting.json"},
        ],
    }  # fmt: skip


def live(said: dict, job, before: int) -> dict:
    """Returns the value of the stage while a picture is being made."""
    value = stage(said)
    # Who pulls the line while it is painted keeps it where it is.
    value |= {"links": [], "first": False}
    word = "Sketching" if job.kind == "sketch" else "Painting"
    if job.state == WAITING:
        others = "another picture is" if before == 1 else f"{before} other pictures are"
        return value | {"words": f"Waiting: {others} being made first.", "share": 0}
    now = job.latest
    if now is None:
        return value | {"words": f"{word}: getting the brushes ...", "share": 0}
    if now.shown:
        value |= {"after": picture_url(now.shown), "tag": "on its way"}
    left = "" if now.seconds_left is None else f", {duration(now.seconds_left)} left"
    return value | {"words": f"{word}: {now.share:.0%}{left}.", "share": now.share}


def ended(said: dict, job) -> dict:
    """Returns the value of the stage once a job has ended."""
    if job.state == FAILED:
        return stage(said) | {"words": job.said}
    if job.state == STOPPED and not said["results"]:
        return stage(said, "Stopped.")
    return stage(said)


def running(job) -> bool:
    """Tells whether a job goes on."""
    return job is not None and job.state in (WAITING, RUNNING)


def estimate(seconds: float | None) -> str:
    """Returns what is said of the time before it is spent."""
    if seconds is None:
        return ""
    return f"An estimate: {duration(seconds)}, by the pace of this machine."
