"""What a browser's session keeps, and what it does not."""

import os
import pathlib
import time

import tensorflow as tf

from tfvis.experiments.studio.sessions import Limits, Sessions, token


class SessionsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path) / "sessions"

    def test_each_token_has_its_own_and_names_no_folder(self):
        sessions = Sessions(self.root)
        mine, other = token(), token()
        path = sessions.of(mine).new("painted", "png")
        path.write_bytes(b"1")
        sessions.of(mine).remember(shown=path.name)
        self.assertEqual(sessions.of(mine).file(path.name), path)
        self.assertIsNone(sessions.of(other).file(path.name))
        self.assertEqual(sessions.of(other).remembered(), {})
        self.assertNotIn(mine, str(path))
        # Another process on the same folder finds them again.
        again = Sessions(self.root).of(mine)
        self.assertEqual(again.remembered(), {"shown": path.name})
        self.assertIsNotNone(again.file(path.name))

    def test_names_that_lead_elsewhere_are_none(self):
        session = Sessions(self.root).of(token())
        (self.root / "outside-0123456789abcdef.png").write_bytes(b"1")
        link = session.new("painted", "png")
        link.symlink_to(self.root / "outside-0123456789abcdef.png")
        for name in (
            "session.json", "../outside-0123456789abcdef.png", "/etc/passwd", ".used", link.name,
            "painted-0123456789abcdef.png\0", "",
        ):  # fmt: skip
            self.assertIsNone(session.file(name), name)

    def test_files_are_bounded_and_what_nothing_names_goes(self):
        session = Sessions(self.root, Limits(files=3, bytes=10)).of(token())
        paths = [session.new("painted", "png") for _ in range(4)]
        old = session.new("live", "jpg")
        for age, path in enumerate([*paths, old]):
            path.write_bytes(b"123")
            os.utime(path, (time.time() - 600 * age,) * 2)
        session.remember(results=[path.name for path in paths])
        # Three of three bytes fit; the oldest, and what is not remembered, are gone.
        self.assertEqual([path.exists() for path in [*paths, old]], [True] * 3 + [False] * 2)

    def test_sessions_go_with_time_and_number(self):
        sessions = Sessions(self.root, Limits(hours=1, sessions=2))
        words = [token() for _ in range(3)]
        folders = [sessions.of(word).folder for word in words[:2]]
        os.utime(folders[0] / ".used", (time.time() - 7200,) * 2)
        sessions.sweep()
        self.assertEqual([folder.exists() for folder in folders], [False, True])
        os.utime(folders[1] / ".used", (time.time() - 60,) * 2)
        self.assertTrue(sessions.of(words[0]).folder.exists())
        os.utime(sessions.of(words[0]).folder / ".used", (time.time() - 30,) * 2)
        sessions.of(words[2])
        # The third pushes the least used of two out.
        self.assertFalse(folders[1].exists())
        self.assertLen([path for path in self.root.iterdir() if path.is_dir()], 2)


if __name__ == "__main__":
    tf.test.main()
