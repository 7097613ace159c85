"""Caffe's messages, as far as a network to be looked into needs them.

What `messages` lacks is passed over in a binary file, whose layers only give names and
numbers; of a text file, `scanning` lists it.
Three generations of layers: `layer` (V2), `layers` (V1) and, within a V1 layer, `layer` (V0).
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tfvis.networks.caffe.message_fields import ENUMS, MESSAGES

_PACKAGE = "tfvis.caffe"


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="tfvis/caffe.proto", package=_PACKAGE, syntax="proto2"
    )
    for name, values in ENUMS.items():
        # Values of an enumeration share a room with its neighbours; in a message, they do not.
        holder = file.message_type.add(name=f"{name}_")
        enum = holder.enum_type.add(name="Value")
        for number, value in enumerate(values.split()):
            enum.value.add(name=value, number=number)
    for name, lines in MESSAGES.items():
        message = file.message_type.add(name=name)
        for line in filter(str.strip, lines.split("\n")):
            _field(message.field.add(), *line.split())
    return file


def _field(field, name: str, number: str, kind: str, default: str = "") -> None:
    field.name, field.number = name, int(number)
    repeated = kind[0] in "*+"
    field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
    if kind[0] == "+":
        field.options.packed = True
    kind = kind.lstrip("*+")
    if kind in MESSAGES:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    elif kind in ENUMS:
        field.type, field.type_name = field.TYPE_ENUM, f".{_PACKAGE}.{kind}_.Value"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")
    if default:
        field.default_value = default[1:]


# A pool of its own: another library may have brought its own caffe.proto.
_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())


def _message(name: str) -> type:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


BlobProto = _message("BlobProto")
LayerParameter = _message("LayerParameter")
NetParameter = _message("NetParameter")
V0LayerParameter = _message("V0LayerParameter")
V1LayerParameter = _message("V1LayerParameter")


def word(message, field: str) -> str:
    """Returns the name of an enumerated field's value, such as "MAX" of `pool`."""
    kind = message.DESCRIPTOR.fields_by_name[field].enum_type
    return kind.values_by_number[getattr(message, field)].name
