"""Charts, rulers and backdrop, drawn here around pictures whose place is known."""

import functools
import io
import pathlib

import numpy as np
import PIL.Image
import PIL.ImageDraw
import tensorflow as tf
from absl.testing import parameterized

import tfvis
from tests import nets
from tfvis import images
from tfvis.classifiers import borders

EDGES = ("top", "left", "bottom", "right")
GREY = (128, 128, 124)
# Red, green, blue, yellow, magenta, cyan, white, three greys, brown, skin, orange, black.
COLORS = (
    (200, 40, 40), (40, 140, 60), (40, 60, 160), (230, 210, 40), (190, 60, 140),
    (40, 150, 180), (245, 245, 245), (190, 190, 190), (90, 90, 90), (110, 75, 60),
    (220, 170, 150), (225, 130, 40),
)  # fmt: skip


def chart(length: int, depth: int, separator: int = 0, card=None, count: int = 12) -> np.ndarray:
    """A row of patches, with lines between them, on a card or none."""
    page = PIL.Image.new("RGB", (length, depth), card or (20, 20, 20))
    draw = PIL.ImageDraw.Draw(page)
    border = separator if card else 0
    pitch = (length - separator) / count if card else length / count
    for k in range(count):
        x0, x1 = round(k * pitch) + separator, round((k + 1) * pitch) - 1
        draw.rectangle((x0, border, x1, depth - border - 1), COLORS[k % len(COLORS)])
    return np.asarray(page, np.float32)


def ruler(length: int, depth: int, numbers: bool, pitch: float = 8.0, paper=(240, 238, 225)):
    """Ticks of three lengths from the lower side, and a number above each tenth."""
    page = PIL.Image.new("RGB", (length, depth), paper)
    draw = PIL.ImageDraw.Draw(page)
    for k in range(int(length / pitch)):
        tall = 0.55 if k % 10 == 0 else 0.4 if k % 5 == 0 else 0.28
        x = round((k + 0.5) * pitch)
        draw.rectangle((x, round(depth * (1 - tall)), x + 1, depth), (15, 15, 15))
        if numbers and k % 10 == 0:
            draw.text((x - 3, 1), str(k // 10), (15, 15, 15), PIL.ImageFont.load_default(depth / 3))
    return np.asarray(page, np.float32)


def scale_bar(length: int, depth: int) -> np.ndarray:
    """Black and white blocks in turn."""
    columns = (np.arange(length) * 10 // length) % 2
    return np.broadcast_to(columns[None, :, None] * 240.0 + 10, (depth, length, 3))


def beside(picture, box, strip, edge, gap=0, margin=0, color=GREY):
    """Puts a strip outside the picture, and more backdrop; returns both and the new box."""
    if edge in ("left", "right"):
        turned, box = beside(
            picture.transpose(1, 0, 2), (box[1], box[0], box[3], box[2]), strip,
            "top" if edge == "left" else "bottom", gap, margin, color,
        )  # fmt: skip
        return turned.transpose(1, 0, 2), (box[1], box[0], box[3], box[2])
    width = max(picture.shape[1], strip.shape[1]) + 2 * margin
    height = picture.shape[0] + gap + strip.shape[0] + 2 * margin
    page = np.zeros((height, width, 3), np.float32) + np.float32(color)
    left = (width - picture.shape[1]) // 2
    top = margin + (strip.shape[0] + gap if edge == "top" else 0)
    page[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    y = margin if edge == "top" else height - margin - strip.shape[0]
    x = (width - strip.shape[1]) // 2
    page[y : y + strip.shape[0], x : x + strip.shape[1]] = strip
    return page, (box[0] + left, box[1] + top, box[2] + left, box[3] + top)


def photographed(picture: np.ndarray, quality: int = 85, noise: float = 0.0) -> np.ndarray:
    """What a camera makes of it: noise of the sensor, then JPEG."""
    picture = picture + noise * np.random.default_rng(0).standard_normal(picture.shape)
    file = io.BytesIO()
    PIL.Image.fromarray(images.quantize(picture)).save(file, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(file), np.float32)


def whole(picture: np.ndarray) -> tuple[int, int, int, int]:
    return (0, 0, picture.shape[1], picture.shape[0])


def overlap(a, b) -> float:
    """Area of the intersection over that of the union."""
    sides = [max(0, min(a[k + 2], b[k + 2]) - max(a[k], b[k])) for k in (0, 1)]
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return sides[0] * sides[1] / (sum(areas) - sides[0] * sides[1])


@functools.cache
def painting() -> np.ndarray:
    return images.read(pathlib.Path(tfvis.__file__).parent / "style" / "painting.jpg").pixels


@functools.cache
def objects() -> dict[str, np.ndarray]:
    temple, flower = images.demo_set()
    return {"temple": temple, "flower": flower, "painting": painting()}


class BordersTest(tf.test.TestCase, parameterized.TestCase):
    def _found(self, picture, box, within: float = 3):
        """Checks the box found, which may have `within` px of what is around the object.

        JPEG mixes the colours of blocks of 16 px: so much backdrop may stay, but no
        backdrop here is narrower than 20 px, so nothing of what lies behind it.
        """
        found = borders.crop_borders(picture)
        self.assertGreater(overlap(found, box), 0.9, (found, box))
        # Of what is beside the object, the few px where JPEG has mixed them remain.
        for k in range(4):
            outside = (box[k] - found[k]) if k < 2 else (found[k] - box[k])
            self.assertLessEqual(outside, within, (found, box))

    @parameterized.product(
        edge=EDGES, margin=((0, 0), (20, 24)), separator_and_noise=((0, 3.0), (4, 0.0))
    )
    def test_a_chart_at_each_edge(self, edge, margin, separator_and_noise):
        separator, noise = separator_and_noise
        for name, thing in objects().items():
            with self.subTest(name):
                length = thing.shape[edge in ("top", "bottom")] - (30 if margin[0] else 0)
                strip = chart(length, 34, separator)
                page, box = beside(thing, whole(thing), strip, edge, *margin)
                self._found(photographed(page, noise=noise), box, 16 if any(margin) else 3)

    @parameterized.parameters(*EDGES)
    def test_a_chart_on_its_card_shorter_than_the_edge(self, edge):
        thing = objects()["painting"]
        strip = chart(300, 40, 6, card=(250, 250, 250), count=8)
        page, box = beside(thing, whole(thing), strip, edge, 20, 24)
        self._found(photographed(page), box, 16)

    @parameterized.parameters(*EDGES)
    def test_two_rows_of_patches_and_a_grey_scale(self, edge):
        thing = objects()["temple"]
        length = thing.shape[edge in ("top", "bottom")]
        greys = np.repeat(np.linspace(250, 10, 20), -(-length // 20))[:length]
        greys = np.broadcast_to(greys[None, :, None], (25, length, 3))
        strip = np.concatenate([chart(length, 25), greys])
        page, box = beside(thing, whole(thing), strip, edge, 20, 20)
        self._found(photographed(page), box, 16)

    @parameterized.product(edge=EDGES, numbers=(False, True), margin=((0, 0), (20, 24)))
    def test_a_ruler_at_each_edge(self, edge, numbers, margin):
        for name, thing in objects().items():
            with self.subTest(name):
                length = thing.shape[edge in ("top", "bottom")]
                strip = ruler(length, 36, numbers)
                for turned in (strip, strip[::-1]):
                    page, box = beside(thing, whole(thing), turned, edge, *margin)
                    self._found(photographed(page), box, 16 if any(margin) else 3)

    @parameterized.parameters(*EDGES)
    def test_a_scale_bar_on_backdrop(self, edge):
        thing = objects()["flower"]
        page, box = beside(thing, whole(thing), scale_bar(200, 10), edge, 20, 24)
        self._found(photographed(page), box, 16)

    @parameterized.parameters(-3.0, 1.5, 8.0)
    def test_charts_at_an_angle(self, angle):
        thing = objects()["painting"]
        for name, strip in {
            "chart": chart(400, 34, 4, card=(250, 250, 250)),
            "ruler": ruler(400, 36, True),
            "scale bar": scale_bar(300, 20),
        }.items():
            with self.subTest(name):
                turned = PIL.Image.fromarray(images.quantize(strip)).rotate(
                    angle, PIL.Image.Resampling.BICUBIC, expand=True, fillcolor=GREY
                )
                strip = np.asarray(turned, np.float32)
                page, box = beside(thing, whole(thing), strip, "bottom", 20, 24)
                self._found(photographed(page), box, 16)

    @parameterized.parameters(("top", "left"), ("bottom", "right"), ("right", "bottom"))
    def test_both_at_once(self, first, second):
        for name, thing in objects().items():
            for margin in ((0, 0), (20, 24)):
                with self.subTest(f"{name} {margin}"):
                    lengths = [thing.shape[edge in ("top", "bottom")] for edge in (first, second)]
                    page, box = beside(
                        thing, whole(thing), chart(lengths[0], 30, 3), first, *margin
                    )
                    page, box = beside(page, box, ruler(lengths[1], 34, True), second, *margin)
                    self._found(photographed(page), box, 16 if any(margin) else 3)

    def test_large_pictures_are_looked_at_in_small(self):
        thing = images.resize(painting(), 2000, 2600)
        strip = chart(2500, 160, 12)
        page, box = beside(thing, whole(thing), strip, "bottom", 90, 120)
        # Cuts are at multiples of twelve px here, and leave as much.
        self._found(photographed(page), box, 24)

    @parameterized.parameters(GREY, (255, 255, 255), (12, 12, 14))
    def test_plain_backdrop_all_around(self, *color):
        for name, thing in objects().items():
            with self.subTest(name):
                nothing = np.zeros((0, 0, 3), np.float32)
                page, box = beside(thing, whole(thing), nothing, "top", 0, 40, color)
                self._found(photographed(page, noise=1.0), box, 16)

    def test_backdrop_with_a_fall_of_light(self):
        thing = painting()
        nothing = np.zeros((0, 0, 3), np.float32)
        page, box = beside(thing, whole(thing), nothing, "top", 0, 40, (200, 200, 196))
        light = np.linspace(0.92, 1.0, page.shape[1])[None, :, None]
        light = light * np.linspace(0.97, 1.0, page.shape[0])[:, None, None]
        self._found(photographed(page * light), box, 16)


class KeptTest(tf.test.TestCase, parameterized.TestCase):
    def test_pictures_without_borders_are_whole(self):
        stripes = np.zeros((300, 400, 3), np.float32)
        stripes[:] = 60 + 150.0 * ((np.arange(400) // 25) % 2)[None, :, None]
        x, y = np.meshgrid(np.linspace(0, 1, 320), np.linspace(0, 1, 240))
        sky = np.stack([120 + 60 * y, 160 + 40 * y, 230 - 10 * y], -1)
        land = np.where(
            (y > 0.6)[..., None], nets.picture(8).mean() + 60 * np.sin(90 * x * y)[..., None], sky
        )
        generator = np.random.default_rng(0)
        board = generator.integers(0, 2, (12, 16)).repeat(20, 0).repeat(20, 1)[..., None]
        pictures = {
            **objects(),
            "mirrored": images.demo()[:, ::-1],
            "upside down": images.demo()[::-1],
            "turned": images.demo().transpose(1, 0, 2),
            "small": images.resize(images.demo(), 64, 64),
            "noise": generator.uniform(0, 255, (200, 300, 3)),
            "stripes": photographed(stripes, noise=3),
            "sky": photographed(land),
            "board": np.repeat(board * 255.0, 3, 2),
            "blank": np.full((90, 120, 3), 255.0),
            "gradient": np.repeat((255 * x)[..., None], 3, 2),
            "tiny": generator.uniform(0, 255, (2, 3, 3)),
        }
        for name, picture in pictures.items():
            with self.subTest(name):
                self.assertEqual(borders.crop_borders(picture), whole(picture))

    def test_every_size_has_a_box(self):
        generator = np.random.default_rng(1)
        for _ in range(150):
            height, width = generator.integers(2, 70, 2)
            cells = generator.integers(1, 9, 2)
            page = generator.uniform(0, 255, (*(-(-np.array([height, width]) // cells)), 3))
            page = page.repeat(cells[0], 0).repeat(cells[1], 1)[:height, :width]
            page[: generator.integers(0, height)] = generator.uniform(0, 255, 3)
            x0, y0, x1, y1 = borders.crop_borders(page)
            self.assertTrue(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height)

    def test_grey_pictures_of_one_channel(self):
        picture = images.with_channels(images.demo(), 1)
        self.assertEqual(borders.crop_borders(picture), whole(picture))

    @parameterized.product(seed=tuple(range(12)), quality=(None, 75))
    def test_no_ink_is_cut_from_a_drawing(self, seed, quality):
        generator = np.random.default_rng(seed)
        height, width = generator.integers(120, 1600, 2)
        page = PIL.Image.new("L", (width, height), 255)
        draw = PIL.ImageDraw.Draw(page)
        shade = int(generator.integers(0, 170))
        for _ in range(generator.integers(1, 30)):
            ends = [(generator.uniform(0.05, 0.95) * s) for s in (width, height) * 2]
            draw.line(ends, shade, int(generator.integers(1, 5)))
        drawing = np.repeat(np.asarray(page, np.float32)[..., None], 3, 2)
        ys, xs = np.nonzero(drawing[..., 0] < 255)
        seen = drawing if quality is None else photographed(drawing, quality)
        x0, y0, x1, y1 = borders.crop_borders(seen)
        self.assertLessEqual(x0, xs.min())
        self.assertLessEqual(y0, ys.min())
        self.assertGreater(x1, xs.max())
        self.assertGreater(y1, ys.max())
