import pathlib

import tensorflow as tf

from tfvis.attention.boxes import Box
from tfvis.errors import InputError
from tfvis.experiments import annotated_pictures, box_tables, voc_annotations
from tfvis.experiments.annotated_pictures import Object

OWN = "path,label,x0,y0,x1,y1\n"
# As the splits of MINERVA are published; the last two rows after its whole list.
SPLIT = (
    ",image_filename,id,bounding_box_coordinates,instrument_name,area_of_bounding_box\n"
    '0,2921.jpg,125386343,"372,357,663,705",Harp (3285),100933.0\n'
    '1,2921.jpg,125386343,"740,169,277,239",Chromatic harp (3274),1.0\n'
    '2,3405.png,125386343,"68,207,68,207",Lute (3394),0.0\n'
)
WHOLE = ',Image Filename,coordinates,Term\n0,Image_2386.jpg,"-2,64,350,568,",Trumpet  (4446)\n'
ICONART = (
    "item,angel,Child_Jesus,set,Anno\nQ1,1,0,test,1\nQ2,0,0,test,0\nQ3,1,0,test,0\nQ4,0,1,train,0\n"
)


def xml(*objects, filename="picture.jpg", head="") -> str:
    """An annotation as PASCAL VOC has it: objects are (name, difficult, xmin, ymin, xmax, ymax)."""
    body = "".join(
        f"<object><name>{name}</name><difficult>{hard}</difficult><part><name>head</name><bndbox>"
        "<xmin>5</xmin><ymin>5</ymin><xmax>6</xmax><ymax>6</ymax></bndbox></part><bndbox>"
        f"<xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for name, hard, a, b, c, d in objects
    )
    return f"{head}<annotation><filename>{filename}</filename>{body}</annotation>"


class BoxTablesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _write(self, name: str, content: str | bytes) -> pathlib.Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def _read(self, name: str, content: str) -> dict:
        table = box_tables.read(self._write(name, content))
        return {one.names[0]: list(one.objects) for one in table.pictures}

    def test_our_own(self):
        found = self._read(
            "a.csv", OWN + "a.png,dog,0,1,20.5,30\nb.png,none,,,,\nc.png,,,,,\na.png,cat,1,2,3,4\n"
        )
        dog, cat = Object("dog", Box(0, 1, 20.5, 30)), Object("cat", Box(1, 2, 3, 4))
        self.assertEqual(found, {"a.png": [dog, cat], "b.png": [], "c.png": []})

    def test_our_own_refused(self):
        for row, words in (
            ("a.png,dog,,,,", "column x0"),
            ("a.png,none,0,0,1,1", "a box of none"),
            ("a.png,,0,0,1,1", "a box of no label"),
            (",none,,,,", "no path"),
            ("a.png,dog,3,2,1,4", "x0 < x1"),
            ("a.png,none", "expected 6 fields"),
        ):
            with self.assertRaisesRegex(InputError, f"boxes=.*a.csv, line 2.*{words}"):
                self._read("a.csv", f"{OWN}{row}\n")

    def test_minerva(self):
        found = self._read("test.txt", SPLIT)
        harp = Object("Harp", Box(372, 357, 663, 705))
        # Drawn from its right end; one of no size is left out, and so is its picture.
        other = Object("Chromatic harp", Box(277, 169, 740, 239))
        self.assertEqual(found, {"2921.jpg": [harp, other]})
        self.assertEqual(
            box_tables.read(self.folder / "test.txt").notes, ("1 boxes are empty, and left out",)
        )
        found = self._read("whole.csv", WHOLE)
        self.assertEqual(found, {"Image_2386.jpg": [Object("Trumpet", Box(0, 64, 350, 568))]})
        with self.assertRaisesRegex(InputError, "line 2: expected four corners"):
            self._read("whole.csv", WHOLE.replace("350,", ""))

    def test_iconart(self):
        self._write("Annotations/Q1.xml", xml(("angel", 0, 1, 1, 5, 6)))
        found = self._read("ImageSets/Main/IconArt_v1.csv", ICONART)
        # Q3 has a class and no boxes, Q4 is not of the test set.
        self.assertEqual(found, {"Q1.jpg": [Object("angel", Box(0, 0, 5, 6))], "Q2.jpg": []})
        (self.folder / "Annotations/Q1.xml").unlink()
        with self.assertRaisesRegex(InputError, "line 2: Q1: no Annotations/Q1.xml"):
            self._read("ImageSets/Main/IconArt_v1.csv", ICONART)

    def test_people_art(self):
        self._write("Annotations/Rococo/a.b.jpg.xml", xml(("person", 0, 59, 33, 170, 469)))
        found = self._read(
            "Annotations/person_test.txt", "Rococo/a.b.jpg 1\nRococo/without anybody.jpg -1\n"
        )
        person = Object("person", Box(58, 32, 170, 469))
        self.assertEqual(found, {"Rococo/a.b.jpg": [person], "Rococo/without anybody.jpg": []})
        with self.assertRaisesRegex(InputError, "line 1: Rococo/c.jpg: no Annotations"):
            self._read("Annotations/person_test.txt", "Rococo/c.jpg 1\n")

    def test_a_folder_and_a_list_of_voc(self):
        self._write("Annotations/1.xml", xml(("dog", 1, 0, 2, 3, 4), ("dog", 0, 9, 9, 9, 9)))
        self._write("Annotations/2.xml", xml())
        self._write("JPEGImages/1.jpg", "")
        # By the name that is in the file.
        self._write("JPEGImages/picture.jpg", "")
        table = box_tables.read(self.folder / "Annotations")
        dogs = (Object("dog", Box(0, 1, 3, 4), True), Object("dog", Box(8, 8, 9, 9)))
        self.assertEqual([one.objects for one in table.pictures], [dogs, ()])
        found, lost = annotated_pictures.located(table, "boxes")
        self.assertEqual([path.name for path in found], ["1.jpg", "picture.jpg"])
        self.assertEqual(lost, [])
        self.assertEqual(self._read("ImageSets/Main/val.txt", "1\n")["1.jpg"], list(dogs))

    def test_no_xml_that_does_harm(self):
        entities = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
        outside = '<!DOCTYPE annotation SYSTEM "http://127.0.0.1/x">'
        for content, words in (
            (xml(head=entities).replace("picture", "&b;"), "DOCTYPE"),
            (xml(head=entities).encode("utf-16"), "DOCTYPE"),
            (xml(head=outside), "DOCTYPE"),
            ("<a>" * 300_000, "not XML"),
            ("", "not XML"),
            ('<?xml version="1.0" encoding="none"?><annotation/>', "not XML"),
            ("<svg/>", "expected <annotation>.*Received: <svg>"),
            (" " * 2**20 + xml(), "1,048,576"),
            (xml(("dog", 0, 5, 1, 4, 4)), "object 1: expected xmin <= xmax"),
            (xml(("dog", 0, "nan", 1, 4, 4)), "object 1: expected a number.*xmin.*'nan'"),
            (xml(("dog", 0, 1, "", 4, 4)), "object 1: expected a number.*ymin"),
            (xml(("", 0, 1, 1, 4, 4)), "object 1: has no name"),
            ("<annotation><object><name>a</name></object></annotation>", "has no bndbox"),
        ):
            path = self._write("Annotations/x.xml", content)
            with self.assertRaisesRegex(InputError, f"x.xml.*{words}"):
                voc_annotations.read(path, path.parent)

    def test_what_is_none_of_these_is_refused_by_its_columns(self):
        for name, content in (("a.csv", "Id,Area,Term\n1,2,3\n"), ("b.csv", ""), ("c.csv", "\n")):
            with self.assertRaisesRegex(InputError, "Expected the columns path,label,x0,y0,x1,y1"):
                self._read(name, content)
        with self.assertRaisesRegex(InputError, "no folder Annotations"):
            self._read("list.txt", "a.jpg 1\n")
        with self.assertRaisesRegex(InputError, "no .xml file"):
            (self.folder / "void").mkdir()
            box_tables.read(self.folder / "void")
        with self.assertRaisesRegex(InputError, "no such file"):
            box_tables.read(self.folder / "absent.csv")

    def test_pictures_that_are_not_there(self):
        table = box_tables.read(self._write("a.csv", OWN + "a.png,dog,0,0,1,1\n"))
        words = "none of its 1 pictures.*folder they are in with pictures"
        with self.assertRaisesRegex(InputError, words):
            annotated_pictures.located(table, "boxes")
        self._write("pictures/a.png", "")
        table = box_tables.read(self.folder / "a.csv", pictures=self.folder / "pictures")
        found, _ = annotated_pictures.located(table, "boxes")
        self.assertEqual([path.parent.name for path in found], ["pictures"])


if __name__ == "__main__":
    tf.test.main()
