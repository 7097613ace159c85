"""One small run or more of every app, and the files they look at, made from seeds."""

import json
import os
import pathlib

import numpy as np
import PIL.Image

os.environ["KERAS_BACKEND"] = "tensorflow"

_MODEL = "--network=small.keras --preprocessing=tf"
_STEPS = "--image=picture.png --steps=6 --fine_steps=3 --seed=1"
_UNITS = "--steps=6 --size=32 --seed=1 --labels=labels.txt --reference_images=photos"
_STYLE = f"{_MODEL} --size=48 --evaluations=12 --memory=2GiB --seed=1"
_PAINTED = "--content=picture.png --style=warm.png,cold.png"
_LOOKED = f"{_MODEL} --images=photos --size=32 --top=2 --units=block2_conv1:0-1,block1_conv1:5"
_TRAIN = f"{_MODEL} --data=data --size=32 --batch=8 --rate=0.01 --epochs=2 --shares=0.6,0.2,0.2"
_SWEPT = "--vary=style_layers,ratio,evaluations"
_VALUES = '--values="block1_conv1|block1_conv1,block2_conv1;1e3|1e5;3|6"'
# {name: app and flags}; out/NAME is what the run NAME, further up, has written. Everything is
# named relative to the folder of the runs, as sheets and tables show the paths they were given.
COMMANDS = {
    "train": f"train {_TRAIN} --views=2",
    "convert": "convert --prototxt=net.prototxt --caffemodel=random --output=out/convert/net.keras",
    "demo": f"demo {_MODEL} --image=picture.png --layers=block1_conv1,block2_pool --size=32 "
    "--steps=6 --classifier=out/train",
    "benchmark": f"benchmark {_MODEL} --table=shallow --images=photos --count=2 --size=48 "
    "--layers=block1_conv1",
    "tag": "tag --weights=random --tags=tag_list.json --image=picture.png --top=3",
    "tag-features": "tag --weights=random --features --image=photos",
    "invert": f"invert {_MODEL} {_STEPS} --size=32 --layers=block1_conv1,block2_pool --restarts=2",
    "invert-numbers": f"invert {_MODEL} {_STEPS} --size=32 --layers=block1_pool --recipe=published "
    "--second_network=out/train --reference_images=data/across",
    "invert-two": f"invert --network=vgg16,vgg19 --weights=random,random {_STEPS} --size=32 "
    "--layers=block1_conv2,block3_conv3",
    "invert-hog": f"invert --network=hog {_STEPS} --size=48",
    "invert-lbfgs": f"invert {_MODEL} {_STEPS} --size=32 --layers=block1_pool --optimizer=lbfgs "
    "--mask_window=1,1,9,9 --mask_channels=0-5",
    "invert-deep-image": f"invert {_MODEL} {_STEPS} --size=32 --layers=block2_pool "
    "--prior=deep_image",
    "invert-phase": f"invert {_MODEL} {_STEPS} --size=32 --layers=block2_pool --prior=phase",
    "invert-plug-in": f"invert {_MODEL} {_STEPS} --size=32 --layers=block2_pool --prior=plug_in",
    "invert-caffe": f"invert --network=net.prototxt --weights=random {_STEPS} --optimizer=adam "
    "--layers=conv2,pool2",
    "maximize": f"maximize {_MODEL} {_UNITS} --units=block2_conv1:0-1,block2_conv1:3@1x2,logit:dog",
    "maximize-fourier": f"maximize {_MODEL} {_UNITS} --units=block2_conv1:0,block1_conv1 "
    "--parameterization=fourier --where=everywhere",
    "maximize-phase": f"maximize {_MODEL} {_UNITS} --units=block2_conv1:0 --diversity=2 "
    "--parameterization=phase",
    "maximize-patches": f"maximize {_MODEL} --steps=6 --size=32 --seed=1 --units=block2_conv1:0 "
    "--reference_images=data/across --transparency",
    "caricature-published": f"caricature {_MODEL} {_STEPS} --size=32 --layers=block2_conv1 "
    "--recipe=published",
    "caricature": f"caricature {_MODEL} --image=picture.png --steps=6 --seed=1 --size=32 "
    "--layers=block1_conv1,block2_conv1",
    "deconv": f"deconv {_LOOKED}",
    "deconv-guided": f"deconv {_LOOKED} --method=guided",
    "deconv-smoothgrad": f"deconv {_LOOKED} --method=smoothgrad --seed=1",
    "stylize-gatys": f"stylize {_STYLE} {_PAINTED} --recipe=gatys --style_weights=3,1 "
    "--color=luminance",
    "stylize-quality": f"stylize {_STYLE} {_PAINTED} --content_mask=halves.png "
    "--fine_style=fine.png --color=match",
    "stylize-adam": f"stylize {_STYLE} {_PAINTED} --optimizer=adam --init=noise",
    # So little memory that it is made in tiles.
    "stylize-tiles": f"stylize {_STYLE} {_PAINTED} --recipe=gatys --optimizer=adam --size=192 "
    "--evaluations=3 --memory=716MiB",
    "train-style": f"train_style {_MODEL} --styles=warm.png,cold.png --content=photos --steps=3 "
    "--content_layers=block2_conv1 --style_layers=block1_conv1,block2_conv1 --fine_steps=2 "
    "--size=64 --style_size=48 --width=4 --blocks=1 --seed=1",
    "stylize-fast": "stylize --fast=out/train-style --content=photos --style_mix=0.3,0.7 --size=48",
    "texture": f"texture {_STYLE} --style=warm.png --tileable --shape=32,64",
    "features": f"features {_MODEL} --images=photos --layer=block2_conv1 --size=32",
    "atlas": "atlas --networks=small.keras,small.keras --preprocessing=tf --images=data --count=12 "
    "--units=block2_conv1:0-3 --steps=3 --cells=2",
    "styles": f"styles {_MODEL} --images=data --size=32",
    "styles-dbscan": f"styles {_MODEL} --images=data --size=32 --method=dbscan --scaling=layers "
    "--layer_weights=1,2",
    "reconstruct": f"reconstruct {_STYLE} --image=picture.png",
    "sweep": f"sweep {_STYLE} {_PAINTED} {_SWEPT} {_VALUES}",
    "train-adapt": f"train {_TRAIN} --views=1 --drawn=1 --mix_styles --adapt_to=photos",
    "train-styles": f"train {_TRAIN} --views=1 --style_augment=photos --stylised=2",
    "negatives": "negatives --checkpoint=drawings_small --data=beside",
    "evaluate": "evaluate --checkpoint=out/train --data=data",
    "judge": "judge --checkpoint=out/train --data=data --count=2 --steps=4 --stages=1 "
    "--metrics=insertion,road,classes,sanity --explainers=class_vbp,gradcam",
    "compare": "compare --networks=small.keras,out/train --images=all=data --count=16 --size=32",
    "classify": "classify --checkpoint=out/train --image=photos --top=2",
    "classify-caffe": "classify --network=out/convert/net.keras --image=photos --labels=labels.txt",
    "attend": "attend --network=out/train --image=photos --steps",
    "attend-network": f"attend {_MODEL} --image=picture.png --size=32 --class=1 --per_layer",
    "localize": "localize --checkpoint=out/train --image=photos --map=product --scales=1,0.5 "
    "--boxes=2 --ground_truth=true.csv",
}
# Apps that serve a page until they are interrupted, and write what people make there.
SERVING = ("studio",)
# Apps without the flag.
WITHOUT_PRECISION, WITHOUT_WORKDIR = ("convert", "deconv", "judge"), ("convert",)
_PROTOTXT = """name: "net"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 32 dim: 32 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 8 kernel_size: 5 stride: 2 } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "norm1" type: "LRN" bottom: "conv1" top: "norm1" }
layer { name: "pool1" type: "Pooling" bottom: "norm1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "conv2" type: "Convolution" bottom: "pool1" top: "conv2"
  convolution_param { num_output: 6 kernel_size: 3 pad: 1 group: 2 } }
layer { name: "relu2" type: "ReLU" bottom: "conv2" top: "conv2" }
layer { name: "pool2" type: "Pooling" bottom: "conv2" top: "pool2"
  pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "fc3" type: "InnerProduct" bottom: "pool2" top: "fc3"
  inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "fc3" top: "prob" }
"""


def write_inputs(folder: pathlib.Path) -> None:
    """Writes what the commands look at, without the library: it is to be the same for all."""
    generator = np.random.default_rng(0)
    _save(folder / "picture.png", _smooth(generator, 40, 60))
    for name in "abc":
        _save(folder / f"photos/{name}.png", _smooth(generator, 48, 48))
    # Enough for each of the three parts of a split.
    for k in range(20):
        for axis, name in enumerate(("across", "down")):
            stripes = _stripes(axis, generator.uniform(0, 255, (2, 3)), 2 + k % 4, 32)
            _save(folder / f"data/{name}/{k}.png", stripes + generator.normal(0, 10, stripes.shape))
    # Stripes in a corner, noise beside: what a shipped classifier finds a background in.
    for k in range(8):
        for name in ("dog", "horse"):
            pixels = 128 + generator.normal(0, 12, (96, 96, 3))
            pixels[:40, :40] = _stripes(0, generator.uniform(0, 255, (2, 3)), 2 + k % 4, 40)
            _save(folder / f"beside/{name}/{k}.png", pixels)
    _save(folder / "warm.png", _stripes(1, [(230, 90, 40), (120, 30, 20)], 6, 48))
    _save(folder / "cold.png", _stripes(0, [(40, 90, 230), (20, 30, 120)], 6, 48))
    _save(folder / "fine.png", _stripes(0, [(255, 255, 255), (0, 0, 0)], 1, 48))
    _save(folder / "halves.png", _stripes(1, [(0, 0, 0), (255, 255, 255)], 30, 60)[:40])
    (folder / "labels.txt").write_text("cat\ndog\nfox\nhouse\ntree\n")
    (folder / "true.csv").write_text("path,label,x0,y0,x1,y1\na.png,down,4,4,30,30\n")
    # Illustration2Vec's number of tags.
    (folder / "tag_list.json").write_text(json.dumps([f"tag {k}" for k in range(1539)]))
    (folder / "net.prototxt").write_text(_PROTOTXT)
    _save_model(folder / "small.keras")


def _save(path: pathlib.Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)).save(path)


def _smooth(generator: np.random.Generator, height: int, width: int) -> np.ndarray:
    coarse = PIL.Image.fromarray(generator.integers(30, 226, (5, 5, 3), np.uint8))
    return np.asarray(coarse.resize((width, height), PIL.Image.Resampling.BICUBIC), np.float64)


def _stripes(axis: int, colors, width: int, side: int) -> np.ndarray:
    lines = np.asarray(colors, np.float64)[np.arange(side) // width % len(colors)]
    return np.stack([lines] * side, 1 - axis)


def _save_model(path: pathlib.Path) -> None:
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    x = inputs
    for k, channels in ((1, 8), (2, 12)):
        x = keras.layers.Conv2D(
            channels, 3, padding="same", activation="relu", name=f"block{k}_conv1"
        )(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{k}_pool")(x)
    x = keras.layers.GlobalAveragePooling2D(name="gap")(x)
    outputs = keras.layers.Dense(5, activation="softmax", name="predictions")(x)
    keras.Model(inputs, outputs, name="small").save(path)
