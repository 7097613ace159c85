"""How large a file of each kind may be, and what in it: more is no such file, or made to harm.

Bytes unless said otherwise. What is far below a bound is read at once; so each bound is what a
machine of 8 GB can hold, and far above all that is in use.
"""

# The largest network of keras.applications holds 1.5 GB; HDF5 and zip files of more than this
# are not read, and neither are those that unpack to more.
WEIGHTS = 4 << 30
# Trained weights are noise to a compressor: what unpacks to many times its size is a bomb.
# Small files hold more of names and headers than of weights.
RATIO, SLACK = 8, 16 << 20
# Groups and arrays of an HDF5 file: a thousand layers of ten, and as many of an optimizer. They
# are looked at within seconds.
OBJECTS = 50_000
# Names in a list of an HDF5 file, times the bytes each might have: InceptionResNetV2's 782
# layers and 1.5 MB between its arrays make as much.
TEXTS = 1 << 31
# What describes a model in a .keras file: a thousand layers of keras.applications take 1 MB.
CONFIG = 16 << 20
# Layers of a model, those of models within it as often as they are called; NASNetLarge has
# 1,039, ResNet-1001 has 3,700. Keras builds some hundred a second.
LAYERS = 5_000
# Numbers in one map that a layer makes of one picture: 2 GiB. VGG16's largest, at the largest
# --size of 4096, has twice as many; a network of one fixed size needs far fewer.
MAP = 1 << 29
# Sides of a network's own input, if it has them: the largest --size.
SIDE = 4096
# Pictures: 100 megapixels of four channels of 16 bits, and their metadata.
PICTURE = (100_000_000 << 3) + (1 << 20)
# Lists of names: a thousand classes take 32 kB, ImageNet's 21,841 less than a megabyte.
NAMES = 10_000_000
# Tables: ILSVRC's training boxes, the longest list in use, are about half a million rows.
TABLE = 64 << 20
# The boxes of one picture in XML: a thousand of them take 400 kB.
ANNOTATION = 1 << 20
# Descriptions of a checkpoint: a thousand classes with long names take 100 kB.
DESCRIPTION = 1 << 22
# Manifests: a hundred thousand pictures take half of it.
MANIFEST = 1 << 28
# Arrays by themselves: a mean image, a direction; 4096 x 4096 of three channels in float64.
ARRAY = 3 * 4096 * 4096 * 8 + 4096
