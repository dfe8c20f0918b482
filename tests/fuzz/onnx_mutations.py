"""Mutations of ONNX files by field: what protobuf's descriptors tell can be changed, and to what."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onnx import ModelProto

from tests.fuzz import byte_mutations
from tests.fuzz.words import FLOATS, WHOLE, word

_WHOLE_KINDS: Final = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_FLOAT_KINDS: Final = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)


def mutated(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """An ONNX file with one to some of its fields spoiled."""
    model, donor = ModelProto.FromString(content), ModelProto.FromString(rng.choice(others))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        _change(rng, model, donor)
    spoiled = bytes(model.SerializeToString())
    return _no_text(rng, spoiled, model) if rng.random() < 0.03 else spoiled


def messages(message: Message) -> Iterator[Message]:
    """A message and all within it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if _is_list(field, value) else [value]:
                yield from messages(inner)


def _is_list(field: Any, value: Any) -> bool:
    return not isinstance(value, Message)


def _change(rng: random.Random, model: ModelProto, donor: ModelProto) -> None:
    """Spoil a field of a message; those that are set are spoiled more often than others are set."""
    message = rng.choice(list(messages(model)))
    present = [field for field, _ in message.ListFields()]
    field: Any = rng.choice(present if present and rng.random() < 0.85 else message.DESCRIPTOR.fields)
    value = getattr(message, field.name)
    try:
        if field.message_type is not None:
            _change_messages(rng, message, field, value, donor)
        elif isinstance(value, str | bytes | int | float):
            if rng.random() < 0.15:
                message.ClearField(field.name)
            else:
                setattr(message, field.name, _other(rng, field, value, model))
        else:
            _change_list(rng, field, value, model)
    except (ValueError, TypeError):  # what protobuf itself does not let be written
        return


def _change_messages(rng: random.Random, message: Message, field: Any, value: Any, donor: ModelProto) -> None:
    """Drop, repeat, swap, clear messages, or take one of another file."""
    kind = field.message_type.full_name
    strange = [each for each in messages(donor) if each.DESCRIPTOR.full_name == kind]
    if isinstance(value, Message):
        message.ClearField(field.name)
        if strange and rng.random() < 0.5:
            getattr(message, field.name).CopyFrom(rng.choice(strange))
        return
    way = rng.choice(("drop", "drop", "repeat", "swap", "clear", "splice", "replace"))
    if way == "clear" and rng.random() < 0.3:
        message.ClearField(field.name)
    elif way == "drop" and value:
        del value[rng.randrange(len(value))]
    elif way == "repeat" and value:
        value.add().CopyFrom(rng.choice(value))
    elif way == "swap" and len(value) > 1:
        one, other = rng.sample(range(len(value)), 2)
        kept = type(value[one])()
        kept.CopyFrom(value[one])
        value[one].CopyFrom(value[other])
        value[other].CopyFrom(kept)
    elif strange and way == "replace" and value:
        rng.choice(value).CopyFrom(rng.choice(strange))
    elif strange:
        value.add().CopyFrom(rng.choice(strange))


def _change_list(rng: random.Random, field: Any, value: Any, model: ModelProto) -> None:
    way = rng.choice(("set", "set", "set", "drop", "append", "swap", "clear"))
    if not value or way == "append":
        value.append(_other(rng, field, value[-1] if value else _nothing(field), model))
    elif way == "set":
        index = rng.randrange(len(value))
        value[index] = _other(rng, field, value[index], model)
    elif way == "drop":
        del value[rng.randrange(len(value))]
    elif way == "swap" and len(value) > 1:
        one, other = rng.sample(range(len(value)), 2)
        value[one], value[other] = value[other], value[one]
    elif way == "clear":
        del value[:]


def _nothing(field: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b""
    return "" if field.type == FieldDescriptor.TYPE_STRING else 0


def _other(rng: random.Random, field: Any, value: Any, model: ModelProto) -> Any:
    """Another value that a field may hold."""
    if field.cpp_type in _WHOLE_KINDS:
        lowest, highest = _WHOLE_KINDS[field.cpp_type]
        number = rng.choice((*WHOLE, value + 1, value - 1, value * 2, -value, rng.randrange(30)))
        return max(lowest, min(highest, number))
    if field.cpp_type in _FLOAT_KINDS:
        return rng.choice(FLOATS)
    if field.enum_type is not None:
        return rng.choice(field.enum_type.values).number
    if field.type == FieldDescriptor.TYPE_BYTES:
        return byte_mutations.mutated(rng, bytes(value))
    names = [name for node in model.graph.node for name in (*node.input, *node.output, node.op_type)]
    return word(rng, names)


def _no_text(rng: random.Random, content: bytes, model: ModelProto) -> bytes:
    """A name made no UTF-8, which protobuf itself would not write."""
    names = {name for node in model.graph.node for name in (*node.output, node.op_type, node.name) if name}
    if not names:
        return content
    name = rng.choice(sorted(names)).encode("utf-8", "surrogatepass")
    return content.replace(name, b"\xff" * len(name))
