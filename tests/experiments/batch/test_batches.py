"""Batches, whole and in spite of kills, corruption and changed minds; without TensorFlow."""

import importlib.util
import io
import os
import pathlib
import random
import subprocess
import sys
import tarfile
import time
from unittest import mock

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
from absl.testing import absltest

from apps.benchmarks import batch_kills, generated_pictures
from tfvis.errors import InputError
from tfvis.experiments.batch import (
    batches,
    jobs,
    leases,
    local_processes,
    plans,
    shards,
    tar_files,
    verification,
    worker,
)
from tfvis.experiments.batch.engine import Engine
from tfvis.progress_bar import bar

_MAKER = generated_pictures.MAKER
# Prints the memory at most, kB, of who plans a batch and reads all of its shards.
_PLANNED = """
import pathlib, re, sys
from apps.benchmarks import generated_pictures
from tfvis.experiments.batch import plans
folder, shards = pathlib.Path(sys.argv[1]), int(sys.argv[2])
plan = plans.agreed(folder, generated_pictures.items(8 * shards), {}, {}, 8)
for number in range(shards):
    assert len(plan.items(number)[0]) == 8
print(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
"""


def made(folder: pathlib.Path, count: int, workers: int = 0, engine: str = "local", **settings):
    """Does a batch of generated pictures."""
    settings = {"steps": 2, "broken": 100, "pictures": False} | settings
    folder.mkdir(exist_ok=True)
    return batches.run(
        jobs.build(_MAKER, settings), _MAKER, settings, generated_pictures.items(count),
        Engine(engine, workers), folder=folder, word="", deaths=1000,
    )  # fmt: skip


class BatchesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_every_item_is_a_row_or_an_error(self):
        plan, found = made(self.folder, 900)
        names = generated_pictures.items(900).names
        broken = [name for name in names if generated_pictures.broken(name, 100)]
        self.assertNotEmpty(broken)
        table = pq.read_table(self.folder / "parts")
        self.assertEqual(sorted(table["path"].to_pylist()), sorted(set(names) - set(broken)))
        self.assertEqual([row["path"] for row in verification.broken(plan)], broken)
        self.assertIn("truncated", next(verification.broken(plan))["detail"])
        self.assertEqual((found.rows, found.errors), (900 - len(broken), len(broken)))
        done = subprocess.run(
            f"cd {self.folder} && sha256sum --check --quiet checksums/*", shell=True, check=False
        )
        self.assertEqual(done.returncode, 0)

    def test_a_second_run_does_nothing_again(self):
        made(self.folder, 100)
        times = {path: path.stat().st_mtime_ns for path in (self.folder / "parts").iterdir()}
        with mock.patch.object(shards, "process") as process:
            made(self.folder, 100)
        process.assert_not_called()
        self.assertEqual(times, {path: path.stat().st_mtime_ns for path in times})

    def test_another_job_or_other_items_are_refused(self):
        made(self.folder, 100)
        before = batch_kills.results(self.folder)
        with self.assertRaisesRegex(InputError, "differs: steps was 2, is 3. Give what"):
            made(self.folder, 100, steps=3)
        with self.assertRaisesRegex(InputError, r"differs: items was 100 \(\w+\), is 101"):
            made(self.folder, 101)
        self.assertEqual(batch_kills.results(self.folder), before)

    def test_a_batch_whose_plan_is_of_an_earlier_version_goes_on(self):
        plan, _ = made(self.folder, 100)
        before = batch_kills.results(self.folder)
        items, about = self.folder / plans.ITEMS, self.folder / plans.DESCRIPTION
        sound, described = items.read_bytes(), about.read_text()
        items.rename(self.folder / "plan.parquet")
        shards.part(plan, 1).unlink()
        with self.assertRaisesRegex(InputError, "its plan.arrow is missing. Begin the batch again"):
            plans.read(self.folder)
        with mock.patch.object(shards, "process", wraps=shards.process) as process:
            self.assertTrue(made(self.folder, 100)[1].whole)
        self.assertEqual([call.args[2] for call in process.call_args_list], [1])
        self.assertEqual(batch_kills.results(self.folder), before)
        self.assertEqual((items.read_bytes(), about.read_text()), (sound, described))

    def test_other_items_leave_the_plan_as_it_was(self):
        made(self.folder, 100)
        sound = (self.folder / plans.ITEMS).read_bytes()
        with self.assertRaisesRegex(InputError, "items was 100"):
            made(self.folder, 90)
        self.assertEqual((self.folder / plans.ITEMS).read_bytes(), sound)
        self.assertTrue(verification.verify(self.folder).whole)

    @absltest.skipUnless(sys.platform == "linux", "reads its memory in /proc")
    def test_a_plan_takes_no_memory_for_its_items(self):
        # A row group of Parquet for each shard was 46 MiB more.
        peaks = [
            int(subprocess.run(
                [sys.executable, "-c", _PLANNED, str(self.folder / str(shards)), str(shards)],
                capture_output=True, check=True, text=True,
            ).stdout)
            for shards in (80, 8000)
        ]  # fmt: skip
        self.assertLess(peaks[1] - peaks[0], 12 * 1024)

    def test_verification_sees_every_kind_of_damage(self):
        plan, _ = made(self.folder, 100)
        part = shards.part(plan, 1)
        sound = part.read_bytes()
        generator = random.Random(0)
        for _ in range(8):
            place = generator.randrange(len(sound))
            part.write_bytes(
                sound[:place] + bytes([sound[place] ^ 1 << generator.randrange(8)])
                + sound[place + 1 :]
            )  # fmt: skip
            self.assertLen(verification.verify(self.folder).wrong, 1)
        # Whole files, but of another shard, whatever the checksums say.
        part.write_bytes(shards.part(plan, 2).read_bytes())
        shards.checksums(plan, 1).write_bytes(
            shards.checksums(plan, 2).read_bytes().replace(b"00002", b"00001")
        )
        self.assertRegex(verification.verify(self.folder).wrong[0], "of another batch, or another")
        part.unlink()
        self.assertEqual(verification.verify(self.folder).missing, 1)
        self.assertTrue(made(self.folder, 100)[1].whole)
        self.assertEqual(part.read_bytes(), sound)

    def test_pictures_are_in_archives_that_verification_reads(self):
        plan, found = made(self.folder, 300, broken=0, pictures=True)
        rows = [
            row
            for k in range(plan.shards)
            for row in pq.read_table(shards.part(plan, k)).to_pylist()
        ]
        self.assertLen(rows, found.rows)
        there = {}
        for k in range(plan.shards):
            with tarfile.open(shards.archive(plan, k)) as tar:
                there |= {one.name: tar.extractfile(one).read() for one in tar}
        self.assertEqual(list(there), [f"{row['key']}.ppm" for row in rows])
        seen = np.asarray(PIL.Image.open(io.BytesIO(there["00000007.ppm"])))
        expected = np.random.default_rng(7).integers(0, 256, (32, 32, 3), np.uint8)
        self.assertTrue(np.array_equal(seen, expected))
        # A byte of a picture changed, an archive that is gone, one of other pictures.
        archive, sound = shards.archive(plan, 1), shards.archive(plan, 1).read_bytes()
        archive.write_bytes(sound[:600] + bytes([sound[600] ^ 1]) + sound[601:])
        self.assertRegex(verification.verify(self.folder).wrong[0], "00001.tar: its bytes are not")
        archive.unlink()
        self.assertRegex(verification.verify(self.folder).wrong[0], "00001.tar: no such file")
        archive.write_bytes(shards.archive(plan, 2).read_bytes())
        listed = shards.checksums(plan, 1)
        digests = [shards.files.sha256_of(archive), shards.files.sha256_of(shards.part(plan, 1))]
        listed.write_text(
            f"{digests[0]}  archives/{archive.name}\n{digests[1]}  parts/part-00001.parquet\n"
        )
        self.assertRegex(verification.verify(self.folder).wrong[0], "not those of the rows")

    def test_keys_of_archives(self):
        names = ["a.jpg", "a.png", "a.b.jpg", "a-b.jpg", "a%2Eb.jpg", "x.y/a.jpg", "a.JPG", "no"]
        keys = list(map(tar_files.key, names))
        self.assertEqual(keys[0], "a-jpg")
        self.assertEqual(keys[5], "x.y/a-jpg")
        self.assertLen(set(keys), len(names))
        self.assertFalse([key for key in keys if "." in key.rpartition("/")[2]])

    def test_a_part_without_errors_file_or_with_a_row_twice_is_found(self):
        plan, _ = made(self.folder, 300)
        wrong = next((self.folder / "errors").iterdir())
        wrong.unlink()
        self.assertRegex(verification.verify(self.folder).wrong[0], "errors.*no such file")
        number = 2
        part = shards.part(plan, number)
        table = pq.read_table(part)
        pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), part)
        text = shards.checksums(plan, number).read_text().splitlines()
        digest = shards.files.sha256_of(part)
        shards.checksums(plan, number).write_text(
            "\n".join([*text[:-1], f"{digest}  parts/{part.name}\n"])
        )
        self.assertRegex(verification.verify(self.folder).wrong[1], "not the items of the plan")

    @absltest.skipUnless(sys.platform == "linux", "looks for processes in /proc")
    def test_five_kills_of_workers_and_of_those_who_started_them(self):
        # Long enough that five kills come before its end: some seconds.
        made(self.folder / "whole", 900, steps=1000, pictures=True)
        killed = self.folder / "killed"
        kills = batch_kills.killed(killed, 900, 1000, kills=5, later_s=0.05)
        self.assertEqual(kills, {"worker": 4, "driver": 1})
        self.assertEqual(batch_kills.results(killed), batch_kills.results(self.folder / "whole"))
        self.assertTrue(verification.verify(killed).whole)

    def test_workers_that_cannot_work_end_the_run(self):
        before = set(batch_kills.children(os.getpid()))
        settings = {"steps": 2, "broken": 0, "pictures": False}
        plan = plans.agreed(
            self.folder, generated_pictures.items(20), {"job": "generated", "steps": 9}, settings, 8
        )
        with self.assertRaisesRegex(InputError, "steps is 2 in a worker, and the plan says 9"):
            local_processes.run(_MAKER, plan, 1, bar("", 1))
        with self.assertRaisesRegex(InputError, "died 2 times .* it said: ModuleNotFoundError"):
            local_processes.run("tests.nowhere:job", plan, 1, bar("", 1), deaths=1)
        self.assertEqual(set(batch_kills.children(os.getpid())) - before, set())

    @absltest.skipUnless(importlib.util.find_spec("ray"), "needs requirements-ray.txt")
    def test_ray_writes_the_same(self):
        made(self.folder / "local", 100)
        made(self.folder / "ray", 100, engine="ray", workers=1)
        self.assertEqual(
            batch_kills.results(self.folder / "ray"), batch_kills.results(self.folder / "local")
        )

    @absltest.skipIf(importlib.util.find_spec("ray"), "needs an environment without Ray")
    def test_ray_that_is_not_there_is_asked_for(self):
        with self.assertRaisesRegex(InputError, "engine=ray: Ray is not installed.*requirements"):
            made(self.folder, 100, engine="ray", workers=1)

    def test_leases(self):
        mine = leases.claim(self.folder, 3)
        self.assertIsNone(leases.claim(self.folder, 3))
        os.utime(mine, (1, 1))
        self.assertIsNotNone(leases.claim(self.folder, 3))  # Not renewed for long.
        done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                              capture_output=True, check=True)  # fmt: skip
        mine.write_text(mine.read_text().replace(str(os.getpid()), done.stdout.decode().strip()))
        self.assertIsNotNone(leases.claim(self.folder, 3))  # Of a process that has ended.
        leases.release(mine)
        self.assertIsNotNone(leases.claim(self.folder, 3))

    def test_a_lease_stays_during_work_that_says_nothing_for_long(self):
        mine = leases.claim(self.folder, 3)
        with leases.renewed(mine, every_s=0.01):
            os.utime(mine, (1, 1))
            deadline = time.monotonic() + 20
            while mine.stat().st_mtime < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertIsNone(leases.claim(self.folder, 3))
        os.utime(mine, (1, 1))
        time.sleep(0.1)
        self.assertLess(mine.stat().st_mtime, 2)  # Nobody renews it behind the work.

    @absltest.skipIf(os.name == "nt", "there nobody is told that a parent is gone")
    def test_a_worker_ends_with_who_started_it_in_the_midst_of_an_item(self):
        settings = {"steps": 10**9, "broken": 0, "pictures": False}  # Some days.
        job = jobs.build(_MAKER, settings)
        plans.agreed(self.folder, generated_pictures.items(8), job.fingerprint, settings, 8)
        words = [sys.executable, "-m", worker.__name__, _MAKER, str(self.folder)]
        claimed = str(self.folder / leases.FOLDER / "00000.json")
        gone = (
            f"import os, subprocess, time; subprocess.Popen({words!r} + [str(os.getpid())])\n"
            f"while not os.path.exists({claimed!r}): time.sleep(0.01)"
        )
        # Its pipe is closed when nobody holds it any more: the worker holds it, too.
        done = subprocess.run([sys.executable, "-c", gone], stderr=subprocess.PIPE, timeout=60)
        self.assertIn(b"The process that started this one is gone", done.stderr)

    def test_shards_are_small_enough(self):
        self.assertEqual(plans.shard_size(10, 4), 8)
        self.assertEqual(plans.shard_size(1_000_000, 2048), 256)
        self.assertEqual(plans.shard_size(1_000_000, 12_845_056), 5)  # block1 of VGG16, whole.
        self.assertEqual(plans.shard_size(5, 2**40), 1)


if __name__ == "__main__":
    absltest.main()
