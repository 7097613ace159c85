"""Colour profiles: followed, passed over, and inks beside another reader."""

import cv2
import numpy as np
import PIL.Image
import PIL.ImageCms
import tensorflow as tf
from absl.testing import parameterized

from tests.reading import ReadingTest
from tests.written_images import (
    GREY,
    GREY_LEVELS,
    LEVELS,
    grey_profile,
    ink_profile,
    swapped_profile,
)


class ProfilesTest(ReadingTest):
    @parameterized.parameters("RGB", "RGBA", "P", "deep")
    def test_profiles_are_followed(self, mode):
        swapped = np.ascontiguousarray(LEVELS[..., [1, 0, 2]])
        icc = swapped_profile()
        if mode == "deep":
            found = self._tiff(swapped.astype(np.uint16) * 257, photometric="rgb", iccprofile=icc)
        else:
            image = PIL.Image.fromarray(swapped)
            image = image.quantize(256) if mode == "P" else image.convert(mode)
            found = self._image("a.png", image, icc_profile=icc).pixels
        # The profile is a rounded one; a palette of 256 colours holds these only nearly.
        self.assertAllClose(found, LEVELS, atol=20 if mode == "P" else 2)

    def test_srgb_profiles_leave_the_bits(self):
        icc = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
        noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
        self.assertAllEqual(self._image("a.png", noise, icc_profile=icc).pixels, noise)

    @parameterized.parameters("L", "LA", "deep")
    def test_profiles_of_grey(self, mode):
        icc = grey_profile(1.0)
        if mode == "deep":
            found = self._tiff(GREY, photometric="minisblack", iccprofile=icc)
        else:
            image = PIL.Image.fromarray(LEVELS[..., 0]).convert(mode)
            found = self._image("a.png", image, icc_profile=icc).pixels
        light = GREY_LEVELS / 255
        expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        self.assertAllClose(found, expected * 255, atol=1.5)

    @parameterized.parameters("a.jpg", "a.tif")
    def test_profiles_of_inks(self, name):
        # Inks as no press has them: paper, and one that prints orange where cyan would be.
        labs = np.tile([100.0, 0, 0], (16, 1))
        labs[[k for k in range(16) if k & 8]] = (60, 30, 50)  # Cyan varies slowest.
        labs[[k for k in range(16) if k & 1]] = (0, 0, 0)
        inks = np.zeros((16, 16, 4), np.uint8)
        inks[:8, :, 0], inks[:, 8:, 3] = 255, 255
        image = PIL.Image.fromarray(inks, mode="CMYK")
        options = {"quality": 100} if name == "a.jpg" else {}
        found = self._image(name, image, icc_profile=ink_profile(labs), **options).pixels
        # L*a*b* (60, 30, 50) under D50 is (211, 121, 54) in sRGB.
        self.assertAllClose(found[2, 2], [211, 121, 54], atol=4)
        self.assertAllClose(found[13, 2], [255, 255, 255], atol=3)
        self.assertAllClose(found[13, 13], [0, 0, 0], atol=3)

    def test_profiles_that_cannot_be_used_are_said(self):
        for name, icc in (("broken", b"nonsense" * 40), ("of grey", grey_profile(2.2))):
            with self.subTest(name):
                read = self._image("a.png", LEVELS, icc_profile=icc)
                self.assertAllEqual(read.pixels, LEVELS)
                self.assertRegex(read.notes[0], "^a.png: its colour profile is passed over")

    def test_inks_beside_opencv(self):
        # Adobe's JPEGs hold inks inverted; both readers must undo it.
        image = PIL.Image.fromarray(LEVELS).resize((64, 64)).convert("CMYK")
        found = self._image("a.jpg", image, quality=100).pixels
        other = cv2.imread(str(self.folder / "a.jpg"))[..., ::-1]
        self.assertAllClose(found, other, atol=6)


if __name__ == "__main__":
    tf.test.main()
