"""The named Caffe networks beside OpenCV's own reading of the same two files.

Needs `opencv-python-headless<5`, which only the tests need besides.
"""

import math
import pathlib
import tempfile

import keras
import numpy as np
from google.protobuf import text_format

from tfvis.networks.caffe import caffemodel as reading
from tfvis.networks.caffe import fill_weights, protobuf_wire, schema
from tfvis.networks.caffe.to_keras import layers_to_keras
from tfvis.networks.caffe.zoo import named

# Of an image less its mean.
_SPREAD = 60.0


def table_oracle(names: tuple[str, ...] = tuple(named.BUILDERS)) -> None:
    """Prints how far each layer of each whole network is from OpenCV's, the largest first."""
    for name in names:
        found = deviations(named.BUILDERS[name]())
        worst = max(found, key=found.get)
        print(f"{name:<26} {len(found):>3} layers, most in {worst}: {found[worst]:.1e}")
        print("   " + ", ".join(f"{layer} {value:.1e}" for layer, value in found.items()))


def deviations(net: schema.NetParameter, seed: int = 0) -> dict[str, float]:
    """Returns, for each layer, the largest deviation from OpenCV over the largest value.

    Args:
        net: a chain of layers; it is given random weights, through files of Caffe's.
        seed: of the weights and of the one image.
    """
    generator = np.random.default_rng(seed)
    blobs = random_blobs(net, generator)
    shape = tuple(net.layer[0].input_param.shape[0].dim)
    image = generator.normal(0, _SPREAD, shape).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "net.caffemodel"
        path.write_bytes(caffemodel(net, blobs))
        # Dropout passes everything on.
        dropouts = {layer.name for layer in net.layer if layer.type == "Dropout"}
        expected = opencv(net, str(path), image)
        expected = {layer: tops for layer, tops in expected.items() if layer not in dropouts}
        model = layers_to_keras.translated(net, name="oracle")
        fill_weights.fill(model, reading.read_model(path).blobs, path)
    outputs = {layer: model.get_layer(layer).output for layer in expected}
    found = keras.Model(model.input, outputs)(image.transpose(0, 2, 3, 1))
    result = {}
    for layer, (want,) in expected.items():
        have = np.asarray(found[layer])
        have = have.transpose(0, 3, 1, 2) if have.ndim == 4 else have
        if have.size != want.size:
            raise AssertionError(f"{layer}: {have.shape}, OpenCV has {want.shape}")
        error = np.abs(have.reshape(want.shape) - want).max()
        result[layer] = float(error / max(np.abs(want).max(), 1e-30))
    return result


def opencv(net: schema.NetParameter, numbers: bytes | str, image) -> dict[str, list[np.ndarray]]:
    """Returns what OpenCV computes in every layer, {layer: [its tops]}, in Caffe's layout.

    Args:
        net: becomes the text of a prototxt.
        numbers: a .caffemodel, its bytes or its path.
        image: float32 [1, channels, height, width].
    """
    import cv2

    # Its name for the field.
    text = text_format.MessageToString(_spelled_out(net))
    text = text.replace("round_mode: FLOOR", "ceil_mode: false").encode()
    if isinstance(numbers, bytes):
        run = cv2.dnn.readNetFromCaffe(
            np.frombuffer(text, np.uint8), np.frombuffer(numbers, np.uint8)
        )
    else:
        prototxt = pathlib.Path(numbers).with_suffix(".prototxt")
        prototxt.write_bytes(text)
        run = cv2.dnn.readNetFromCaffe(str(prototxt), str(numbers))
    run.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    # Or a convolution is given the ReLU after it, and its own output is gone.
    run.enableFusion(False)
    # Plain sums: a Winograd transform costs two digits, and they are to be compared.
    run.enableWinograd(False)
    run.setInput(image)
    layers = [layer.name for layer in net.layer if layer.type != "Input"]
    return dict(zip(layers, run.forwardAndRetrieve(layers), strict=True))


def _spelled_out(net: schema.NetParameter) -> schema.NetParameter:
    """Returns the same network, without what OpenCV 4.14 takes for something else.

    It knows fewer of Caffe's defaults and old names, and passes over the LRN's k:
    (k + s)^-beta = k^-beta (1 + s / k)^-beta, so a power layer follows.
    """
    result = schema.NetParameter(name=net.name, input=net.input, input_dim=net.input_dim)
    result.input_shape.extend(net.input_shape)
    for layer in net.layer:
        placed = result.layer.add()
        placed.CopyFrom(layer)
        if layer.type == "Pooling":
            placed.pooling_param.pool = layer.pooling_param.pool
        if layer.concat_param.HasField("concat_dim"):
            placed.concat_param.axis = layer.concat_param.concat_dim
            placed.concat_param.ClearField("concat_dim")
        if layer.type == "LRN":
            values = placed.lrn_param
            within = schema.word(values, "norm_region") == "WITHIN_CHANNEL"
            k = 1.0 if within else values.k
            values.local_size, values.beta = layer.lrn_param.local_size, layer.lrn_param.beta
            values.alpha, values.k = layer.lrn_param.alpha / k, 1
            if k != 1:
                placed.name = placed.top[0] = f"{layer.name}/raw"
                power = result.layer.add(name=layer.name, type="Power", top=layer.top)
                power.bottom.append(placed.name)
                power.power_param.scale = k**-values.beta
    return result


def caffemodel(net: schema.NetParameter, blobs: dict[str, list[np.ndarray]]) -> bytes:
    """Returns the bytes of a .caffemodel of `net` with these numbers.

    By hand from the wire format, where protobuf would take each number by itself.
    """
    parts = [protobuf_wire.field(1, net.name.encode())]
    for layer in net.layer:
        body = [layer.SerializeToString()]
        for array in blobs.get(layer.name, ()):
            blob = schema.BlobProto()
            blob.shape.dim.extend(array.shape)
            body.append(
                protobuf_wire.field(
                    7, blob.SerializeToString() + protobuf_wire.field(5, array.tobytes())
                )
            )
        parts.append(protobuf_wire.field(100, b"".join(body)))
    return b"".join(parts)


def random_blobs(net: schema.NetParameter, generator) -> dict[str, list[np.ndarray]]:
    """Returns weights that keep the size of what passes, for a chain of layers."""
    blobs = {layer: _random(shape, generator) for layer, shape in kernel_shapes(net).items()}
    last = ""
    for layer in net.layer:
        if layer.type in ("Sigmoid", "Softmax"):
            # Or they say 0 and 1 whatever comes.
            blobs[last] = [array * np.float32(0.01) for array in blobs[last]]
        last = layer.name if layer.name in blobs else last
    return blobs


def kernel_shapes(net: schema.NetParameter) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of kernels and matrices in Caffe's layout, for a chain of layers."""
    shapes = {}
    _, channels, *size = net.layer[0].input_param.shape[0].dim
    for layer in net.layer[1:]:
        if layer.type == "Convolution":
            values = layer.convolution_param
            (side,), (stride,), (pad,) = values.kernel_size, values.stride, values.pad
            shapes[layer.name] = (values.num_output, channels // values.group, side, side)
            channels = values.num_output
            size = [(s + 2 * pad - side) // stride + 1 for s in size]
        elif layer.type == "Pooling":
            values = layer.pooling_param
            size = [-(-(s - values.kernel_size) // values.stride) + 1 for s in size]
        elif layer.type == "InnerProduct":
            outputs = layer.inner_product_param.num_output
            shapes[layer.name] = (outputs, channels * math.prod(size))
            channels, size = outputs, []
    return shapes


def _random(shape: tuple[int, ...], generator) -> list[np.ndarray]:
    # He et al. 2015: what comes out of a ReLU varies as much as what went in.
    spread = math.sqrt(2 / math.prod(shape[1:]))
    kernel = generator.standard_normal(shape, np.float32) * np.float32(spread)
    return [kernel, generator.normal(0, 1, shape[0]).astype(np.float32)]
