"""How much of a comparison is made: at its defaults in three quarters of an hour, or quickly."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Extent:
    """What the length of a comparison depends on.

    Attributes:
        count: pictures of each domain.
        inversion_steps: of each pre-image, before those without jitter: a quarter more.
        caricature_steps: of each caricature.
        depths: layers that are inverted and caricatured, at most.
        side: of pre-images and caricatures, px; None is that of the pictures.
        units: that are maximised, of the most alike and of the least alike each.
        unit_steps: of their pictures.
        class_steps: of the pictures of classes.
        style_steps: evaluations of each picture in another style.
        conflicts: cue conflicts, pictures of one class's shape and another's texture, at most.
        conflict_steps: evaluations of each of these.
    """

    count: int = 140
    # About half of what invert and caricature have: there are twenty of each.
    inversion_steps: int = 160
    caricature_steps: int = 150
    depths: int = 5
    side: int | None = None
    units: int = 9
    unit_steps: int = 100
    # After 60 a class could be told already.
    class_steps: int = 120
    # At the side of a classifier a picture has its style by then; stylize's 500 evaluations would
    # take as long as all other sections.
    style_steps: int = 150
    # Every ordered pair of seven classes.
    conflicts: int = 42
    # From the content, the texture has replaced the surface by then.
    conflict_steps: int = 40


FULL = Extent()
# Numbers from two batches of pictures, and pictures that show what they will be.
QUICK = Extent(
    count=56, inversion_steps=50, caricature_steps=30, depths=3, side=112, units=3, unit_steps=40,
    class_steps=60, style_steps=50, conflicts=14, conflict_steps=30,
)  # fmt: skip
