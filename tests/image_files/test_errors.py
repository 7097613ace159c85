"""What messages and paths are allowed to hold."""

import pathlib
import unicodedata

import tensorflow as tf

from tfvis import files, images
from tfvis.errors import InputError, printable
from tfvis.image_files import formats
from tfvis.networks.caffe import prototxt


class PrintableTest(tf.test.TestCase):
    def test_letters_stay_and_orders_to_a_terminal_do_not(self):
        for text in ("Früchte – Öl auf Holz №3", "می‌خواهم", "a\tb\nc", "👩‍🎨", "日本"):
            self.assertEqual(printable(text), text)
        for text in ("\x1b[2Ja", "a\rb", "\x00", "\x9b31m", "\u202eevil", "\udce9", "\u2028"):
            shown = printable(f"x{text}y")
            categories = {unicodedata.category(letter) for letter in shown}
            self.assertFalse(categories & {"Cc", "Cf", "Cs", "Zl"}, shown)
            self.assertStartsWith(shown, "x")
            shown.encode()

    def test_an_error_says_its_message_so(self):
        self.assertEqual(
            str(InputError("no layer '\x1b]0;title\x07'")), r"no layer '\x1b]0;title\x07'"
        )


class LocatedTest(tf.test.TestCase):
    def test_what_is_no_path_is_refused_in_words(self):
        bad = {
            "~nosuchuser/x": "~nosuchuser",
            "a" * 300: "too long",
            "a\0b": "null",
            "x\ud800": "no such path",
        }
        for word, why in bad.items():
            with self.assertRaisesRegex(InputError, f"^--flag: .*{why}"):
                files.located(word, "--flag")
        with self.assertRaisesRegex(InputError, "^workdir="):
            files.make_folder("~nosuchuser/x", "workdir")

    def test_a_link_to_itself_is_no_path(self):
        link = pathlib.Path(self.create_tempdir().full_path) / "a"
        link.symlink_to("a")
        with self.assertRaisesRegex(InputError, "^--flag: .*symbolic links"):
            files.located(link, "--flag")

    def test_what_is_not_there_yet_is_a_path(self):
        folder = self.create_tempdir()
        self.assertFalse(files.located(folder.full_path + "/none/at/all").exists())
        file = folder.create_file("a").full_path
        self.assertFalse(files.located(file + "/below").is_file())
        self.assertEqual(str(files.located("~/x")).count("~"), 0)


class MistakenTest(tf.test.TestCase):
    def test_what_was_saved_under_another_name_is_named(self):
        begins = {
            b"\n\n<!DOCTYPE html>\n<html>404</html>": "a web page; .*Raw",
            b"\xef\xbb\xbf<HTML lang='en'>": "a web page",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n": "a pointer of Git LFS",
            b"%PDF-1.4\n": "a PDF",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>": "a drawing in SVG",
        }
        folder = self.create_tempdir()
        for start, what in begins.items():
            for name, read in (("image", images.read), (".prototxt", prototxt.read)):
                path = folder.create_file("a", start, mode="wb").full_path
                with self.assertRaisesRegex(InputError, f"{path}: not an? {name} but {what}"):
                    read(path)
        for start in (b"layer { }", b'name: "<html>"', b"\x89PNG"):
            self.assertEqual(files.mistaken(start), "")


class ToldTest(tf.test.TestCase):
    def test_what_a_decoder_says_in_lines_is_one_line(self):
        with self.assertRaisesRegex(InputError, r"^x: truncated or damaged \(no end at 3\)\.$"):
            with formats.told("x"):
                raise RuntimeError("no end\n  at 3\n")
