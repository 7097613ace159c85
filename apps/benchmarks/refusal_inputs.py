"""Files that no app can use, or that ask for all memory or all time: by kind of file."""

import io
import json
import os
import pathlib
import struct
import zipfile
import zlib

import h5py
import keras
import numpy as np
import PIL.Image

from tfvis import images
from tfvis.networks import illustration2vec_tags

from . import refusal_networks

HTML = b"<!DOCTYPE html><html><body>404: Not Found</body></html>\n"
# What a name may hold that a terminal obeys.
ESCAPE = "\x1b]0;owned\x07\x1b[2J"


def make(root: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """Writes files below `root`.

    Returns:
        {kind: paths}: "good" holds a picture, a model, a data set, tags and a data set of PACS'
        classes that are sound, the others what is to be refused as a picture, a model, weights, a
        prototxt, a caffemodel, a mean, a table, a list of names, a folder of pictures, a data set,
        a checkpoint, a direction, a network to be asked.
    """
    root.mkdir(parents=True, exist_ok=True)
    good = [root / "good.png", root / "good.keras"]
    images.save_png(good[0], np.random.default_rng(0).uniform(0, 255, (40, 40, 3)))
    model = _model()
    model.save(good[1])
    data, known = root / "data", root / "known"
    for folder in (data / "a", data / "b", known / "dog", known / "horse"):
        for k in range(12):
            images.save_png(folder / f"{k}.png", np.full((32, 32, 3), 20 * k))
    names = root / "tag_list.json"
    names.write_text(json.dumps([f"tag {k}" for k in range(illustration2vec_tags.COUNT)]))
    never = _never(root / "any")
    found = {
        "good": [*good, data, names, known],
        "picture": never + _pictures(root / "pictures"),
        "model": _models(root / "models", model),
        "weights": _weights(root / "weights", model),
        "prototxt": _prototxts(root / "prototxts"),
        "caffemodel": _caffemodels(root / "caffemodels"),
        "mean": _caffemodels(root / "means", "binaryproto"),
        "table": never + _tables(root / "tables", good[0]),
        "names": never + _names(root / "names"),
        "folder": _folders(root / "folders"),
        "data": _data_sets(root / "sets", data),
        "checkpoint": _checkpoints(root / "checkpoints"),
        "direction": refusal_networks.directions(root / "directions"),
    } | refusal_networks.make(root / "networks")
    # What stands for any file, under each kind's ending.
    for kind, ending in {
        "model": "keras", "weights": "npz", "prototxt": "prototxt", "caffemodel": "caffemodel",
        "mean": "binaryproto",
    }.items():  # fmt: skip
        found[kind] += _never(root / f"any_{ending}", f".{ending}")
    return found


def words(ending: str = "") -> list[str]:
    """Returns paths that are none: no such file, no such user, too long, with orders in it."""
    return [
        f"/nowhere/at/all{ending}",
        f"~nosuchuser/x{ending}",
        "a" * 300 + ending,
        f"{ESCAPE}{ending}",
        f"{good_parent()}/x{ending}",
    ]


def good_parent() -> str:
    """Returns a path that is a file, so that nothing can lie below it."""
    return __file__


def _never(folder: pathlib.Path, ending: str = ".png") -> list[pathlib.Path]:
    """Returns what is no file of any kind: empty, a page, a folder, a pipe, a device, a loop."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [
        folder / f"{name}{ending}" for name in ("empty", "page", "folder", "pipe", "zero", "loop")
    ]
    for path in paths:
        path.unlink(missing_ok=True) if not path.is_dir() else path.rmdir()
    paths[0].touch()
    paths[1].write_bytes(HTML)
    paths[2].mkdir()
    os.mkfifo(paths[3])
    paths[4].symlink_to("/dev/zero")
    paths[5].symlink_to(paths[5].name)
    return paths


def _write(folder: pathlib.Path, contents: dict[str, bytes]) -> list[pathlib.Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def _zip(contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in contents.items():
            file.writestr(name, content)
    return buffer.getvalue()


def _pictures(folder: pathlib.Path) -> list[pathlib.Path]:
    def chunk(tag: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    PIL.Image.fromarray(noise).save(buffer, "JPEG", progressive=True)
    jpeg = buffer.getvalue()
    # Of a progressive JPEG, its first scan again and again before the end.
    start = jpeg.index(b"\xff\xda")
    scan = jpeg[start : jpeg.index(b"\xff\xda", start + 2)]
    vast = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    vast += chunk(b"IDAT", zlib.compress(b"\0" * 100_000)) + chunk(b"IEND", b"")
    return _write(
        folder,
        {
            "cut.jpg": jpeg[: len(jpeg) // 3],
            "scans.jpg": jpeg[:-2] + scan * 10_000 + b"\xff\xd9",
            "vast.png": b"\x89PNG\r\n\x1a\n" + vast,
            "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "noise.png": os.urandom(5000),
            "text.txt": b"not a picture",
            f"{ESCAPE[:6]}.png": HTML,
            "two\nlines.png": HTML,
        },
    )  # fmt: skip


def _model() -> keras.Model:
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv1")(inputs)
    x = keras.layers.MaxPooling2D(2, name="pool1")(x)
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv2")(x)
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="classes")(x))


def _models(folder: pathlib.Path, model: keras.Model) -> list[pathlib.Path]:
    buffer = folder / "sound.keras"
    folder.mkdir(parents=True, exist_ok=True)
    model.save(buffer)
    with zipfile.ZipFile(buffer) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    config = parts["config.json"].decode()
    many = config.replace('"filters": 4', '"filters": 30000000')
    wide = config.replace("[null, null, null, 3]", "[null, 40000, 40000, 3]")
    strange = config.replace('"class_name": "MaxPooling2D"', '"class_name": "MyLab>Gain"')
    code = config.replace('"class_name": "MaxPooling2D"', '"class_name": "Lambda"')
    spoiled = _model()
    spoiled.layers[1].set_weights(
        [np.full_like(w, np.nan) for w in spoiled.layers[1].get_weights()]
    )
    spoiled.save(folder / "nan.keras")
    return [
        folder / "nan.keras",
        *_write(
            folder,
            {
                "many_filters.keras": _zip(parts | {"config.json": many.encode()}),
                "wide_input.keras": _zip(parts | {"config.json": wide.encode()}),
                "custom.keras": _zip(parts | {"config.json": strange.encode()}),
                "lambda.keras": _zip(parts | {"config.json": code.encode()}),
                "no_config.keras": _zip({"model.weights.h5": parts["model.weights.h5"]}),
                "no_weights.keras": _zip({"config.json": parts["config.json"]}),
                "not_json.keras": _zip(parts | {"config.json": b"{"}),
                "deep.keras": _zip(parts | {"config.json": b"[" * 50_000 + b"]" * 50_000}),
                "bomb.keras": _zip(parts | {"config.json": b" " * 2**29}),
                "cut.keras": buffer.read_bytes()[:2000],
                "pickle.keras": b"\x80\x04cos\nsystem\n(S'echo'\ntR.",
                "tensors.pt": _zip({"archive/data.pkl": b"\x80\x02."}),
                "graph.pb": b"\n\x04test",
            },
        ),
    ]  # fmt: skip


def _weights(folder: pathlib.Path, model: keras.Model) -> list[pathlib.Path]:
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {f"{w.path}": np.asarray(w) for w in model.weights}
    paths = [folder / f"{name}.npz" for name in ("dates", "objects", "other", "shapes")]
    np.savez(paths[0], **{k: np.zeros(v.shape, "datetime64[s]") for k, v in arrays.items()})
    np.savez(paths[1], **{k: np.array([{"a": 1}], object) for k in arrays})
    np.savez(paths[2], nothing=np.zeros(3))
    np.savez(paths[3], **{k: np.zeros((7, 7)) for k in arrays})
    header = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000,), }".ljust(117)
        + b"\n"
    )
    paths += _write(
        folder,
        {
            "vast.npz": _zip({"conv1/kernel.npy": header}),
            "noise.npz": os.urandom(3000),
            "noise.h5": os.urandom(3000),
            "noise.onnx": os.urandom(3000),
            "page.weights.h5": HTML,
            "old.ckpt": b"x",
        },
    )  # fmt: skip
    with h5py.File(folder / "repeated.h5", "w") as file:
        group = file.create_group("conv1")
        group.create_dataset("kernel", data=np.zeros((3, 3, 3, 4000), np.float32))
        file.attrs["layer_names"] = [b"conv1"]
        group.attrs["weight_names"] = [b"kernel"] * 3000
    with h5py.File(folder / "links.weights.h5", "w") as file:
        group = file
        for _ in range(40):
            below = group.create_group("a")
            group["b"] = below
            group = below
    with h5py.File(folder / "elsewhere.weights.h5", "w") as file:
        file["layers"] = h5py.ExternalLink("/etc/passwd", "/")
    with h5py.File(folder / "declared.weights.h5", "w") as file:
        file.create_dataset("layers/conv2d/vars/0", (10**6, 10**6), np.float32, chunks=(10, 10))
    names = ("repeated.h5", "links.weights.h5", "elsewhere.weights.h5", "declared.weights.h5")
    return paths + [folder / name for name in names]


_HEAD = 'name: "N" input: "data" input_shape { dim: 1 dim: 3 dim: 16 dim: 16 }\n'
_CONV = (
    'layer { name: "c" type: "Convolution" bottom: "data" top: "c" '
    "convolution_param { num_output: 4 kernel_size: 3 } }\n"
)


def _prototxts(folder: pathlib.Path) -> list[pathlib.Path]:
    chain = "".join(
        f'layer {{ name: "r{k}" type: "ReLU" bottom: "c" top: "c" }}\n' for k in range(15_000)
    )
    texts = {
        "unclosed": _HEAD + _CONV[:-3],
        "quote": _HEAD + _CONV.replace('"Convolution"', '"Convolution'),
        "first_unknown": _HEAD + _CONV.replace("Convolution", "Python", 1),
        "many": _HEAD + _CONV.replace("num_output: 4", "num_output: 30000000"),
        "vast": _HEAD.replace("16", "400000") + _CONV,
        "no_input": _CONV,
        "circle": _HEAD + _CONV.replace('"data"', '"z"'),
        "negative": _HEAD + _CONV.replace("kernel_size: 3", "kernel_size: 0"),
        "window": _HEAD + _CONV.replace("kernel_size: 3", "kernel_size: 99"),
        "deep": "layer { " * 5000,
        "long": _HEAD + _CONV + chain,
        "other": "model { config { } }\n",
        "binary": "\x01\x02\x03" * 100,
    }
    return _write(folder, {f"{name}.prototxt": text.encode() for name, text in texts.items()})


def _caffemodels(folder: pathlib.Path, ending: str = "caffemodel") -> list[pathlib.Path]:
    return _write(
        folder,
        {
            f"noise.{ending}": os.urandom(4000),
            f"cut.{ending}": b"\xa2\x06\xff\xff\x7f\x0a\x01c",
            f"nothing.{ending}": b"\x0a\x01N",
        },
    )


def _tables(folder: pathlib.Path, picture: pathlib.Path) -> list[pathlib.Path]:
    head = "path,label,x0,y0,x1,y1\n"
    texts = {
        "no_columns": "a,b,c\n1,2,3\n",
        "only_head": head,
        "nan": f"{head}{picture},a,nan,0,9,9\n",
        "turned": f"{head}{picture},a,9,9,0,0\n",
        "words": f"{head}{picture},a,one,0,9,9\n",
        "short": f"{head}{picture},a\n",
        "long_path": f"{head}{'x' * 300},a,0,0,9,9\n",
        "user": f"{head}~nosuchuser/x,a,0,0,9,9\n",
        "escape": f"{head}{ESCAPE},a,0,0,9,9\n",
        "device": f"{head}/dev/zero,a,0,0,9,9\n",
        "no_class": f"{head}{picture},,0,0,9,9\n",
        "nul": f"{head}\0,a,0,0,9,9\n",
    }
    return _write(folder, {f"{name}.csv": text.encode() for name, text in texts.items()})


def _names(folder: pathlib.Path) -> list[pathlib.Path]:
    return _write(
        folder,
        {
            "one.txt": b"only\n",
            "escape.txt": f"a\n{ESCAPE}\nc\n".encode(),
            "latin.txt": b"caf\xe9\nb\nc\n",
            "nul.txt": b"a\0\nb\nc\n",
            "bomb.txt.gz": zlib.compress(b"a" * 2**28, wbits=31),
        },
    )


def _folders(folder: pathlib.Path) -> list[pathlib.Path]:
    empty, words_only, broken = (folder / name for name in ("empty", "words", "broken"))
    empty.mkdir(parents=True, exist_ok=True)
    _write(words_only, {"a.txt": b"x", "b.pdf": b"%PDF"})
    _write(broken, {"a.jpg": HTML, "b.png": b"", "c.png": os.urandom(99)})
    return [empty, words_only, broken]


def _data_sets(folder: pathlib.Path, data: pathlib.Path) -> list[pathlib.Path]:
    odd = folder / "odd_names"
    for name in ("two\nlines", os.fsdecode(b"caf\xe9")):
        _write(odd / name, {"0.png": (data / "a" / "0.png").read_bytes()})
    one = folder / "one_class"
    _write(one / "a", {f"{k}.png": (data / "a" / f"{k}.png").read_bytes() for k in range(3)})
    flat = folder / "flat"
    _write(flat, {"0.png": (data / "a" / "0.png").read_bytes()})
    broken = folder / "all_broken"
    for name in "ab":
        _write(broken / name, {"0.png": HTML, "1.png": b""})
    return [odd, one, flat, broken, *_folders(folder)]


def _checkpoints(folder: pathlib.Path) -> list[pathlib.Path]:
    sound = {
        "format": 1, "network": "vgg16", "variant": {}, "preprocessing": "caffe",
        "cut": "block4_pool", "last": "block5_conv3", "trunk": "0" * 64, "classes": ["a", "b"],
        "size": 224, "about": {},
    }  # fmt: skip
    changes = {
        "not_json": None,
        "no_network": {"network": 3},
        "user": {"network": "~nosuchuser/x.keras"},
        "long": {"network": "n" * 300},
        "escape": {"network": ESCAPE},
        "vast": {"size": 10**9},
        "classes": {"classes": ["a", "a"]},
        "future": {"format": 99},
        "gone": {"network": "/nowhere/gone.keras"},
        "cut": {"cut": "zzz"},
        "weights": {},
    }
    for name, change in changes.items():
        content = "{" if change is None else json.dumps(sound | change)
        _write(folder / name, {"classifier.json": content.encode(), "weights.npz": b"x"})
    return [folder / name for name in changes]
