"""The small readers below the cards, against independent ones: protobuf, NumPy, TensorFlow's checkpoint reader."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from card_artefacts import field, made, oracle, varint
from google.protobuf import descriptor_pb2, text_format
from hypothesis import given
from hypothesis import strategies as st

from oddemo.errors import OddemoError
from oddemo.export.cards.arrays import broadcast, concatenate, take
from oddemo.export.cards.bundle import full_names, read_bundle
from oddemo.export.cards.sstable import crc32c
from oddemo.export.cards.tensors import Value, constant
from oddemo.export.cards.text_proto import parse_text_proto
from oddemo.export.cards.weights import AVERAGE, MODEL, OPTIMIZER, OTHER, bundle_weights, role_of
from oddemo.export.cards.wire import Budget, Message, encode_varint, read_varint, signed

NAMES = st.text("abc/.é", max_size=12)


@given(st.lists(st.tuples(NAMES, NAMES, st.integers(-(2**31), 2**31 - 1), st.lists(NAMES, max_size=4)), max_size=5))
def test_messages_are_read_as_protobuf_writes_them(rows: list[tuple[str, str, int, list[str]]]) -> None:
    file = descriptor_pb2.FileDescriptorProto(name="outer")
    for name, type_name, number, dependencies in rows:
        file.dependency.extend(dependencies)
        message = file.message_type.add(name=name)
        message.field.add(name=name, type_name=type_name, number=number)
    read = Message(file.SerializeToString())
    assert read.text(1) == "outer"
    assert read.texts(3) == list(file.dependency)
    fields = [message.message(2) for message in read.messages(4)]
    assert [(inner.text(1), inner.text(6), inner.integer(3)) for inner in fields] == [row[:3] for row in rows]


@given(st.integers(0, 2**64 - 1))
def test_varints_round_trip(value: int) -> None:
    data = encode_varint(value)
    assert data == varint(value)
    assert read_varint(data, 0, len(data)) == (value, len(data))
    assert signed(value) == struct.unpack("<q", struct.pack("<Q", value))[0]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x0a", "before a length"),
        (b"\x0a\x05abc", "5 bytes"),
        (b"\x0a" + varint(2**63), "a field of"),
        (b"\x08\x80\x80", "inside an integer"),
        (b"\x08" + b"\xff" * 11, "longer than ten bytes"),
        (b"\x0d\x01", "inside a number"),
        (b"\x0b\x0c", "wire type 3"),
    ],
)
def test_damaged_messages_are_refused_with_a_reason(data: bytes, what: str) -> None:
    with pytest.raises(OddemoError, match="damaged") as error:
        Message(data).fields()
    assert what in str(error.value)


def test_work_on_one_artefact_is_limited() -> None:
    budget = Budget(100)
    Message(field(1, 1) * 60, budget=budget).fields()
    with pytest.raises(OddemoError, match="too large"):
        Message(field(1, 1) * 60, budget=budget).fields()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "float16", "uint8", "bool"])
def test_constants_are_decoded_from_bytes_and_from_lists(dtype: str) -> None:
    numbers = {"float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int64": 9, "bool": 10, "float16": 19}
    array = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    shape = field(2, b"".join(field(2, field(1, size)) for size in array.shape))
    value = constant(Message(field(1, numbers[dtype]) + shape + field(4, array.tobytes())))
    assert value is not None
    np.testing.assert_array_equal(np.reshape(value.items, value.shape), array)
    one = constant(Message(field(1, numbers[dtype]) + shape))  # nothing listed: zeros
    assert one == Value((2, 3), (0,) * 6)


@st.composite
def shapes_and_axes(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    array = np.arange(math.prod(shape)).reshape(shape)
    return array, draw(st.integers(0, len(shape) - 1))


def value_of(array: np.ndarray) -> Value:
    return Value(array.shape, tuple(array.ravel().tolist()))


@given(shapes_and_axes(), st.data())
def test_taking_slices_equals_numpy(case: tuple[np.ndarray, int], data: st.DataObject) -> None:
    array, axis = case
    places = data.draw(st.lists(st.integers(0, array.shape[axis] - 1), max_size=4))
    assert take(value_of(array), axis, places) == value_of(np.take(array, places, axis))


@given(shapes_and_axes(), st.integers(1, 3))
def test_joining_equals_numpy(case: tuple[np.ndarray, int], times: int) -> None:
    array, axis = case
    assert concatenate([value_of(array)] * times, axis) == value_of(np.concatenate([array] * times, axis))


@given(shapes_and_axes(), shapes_and_axes())
def test_broadcasting_equals_numpy(first: tuple[np.ndarray, int], second: tuple[np.ndarray, int]) -> None:
    a, b = first[0], second[0]
    try:
        wanted = a - b
    except ValueError:
        assert broadcast(lambda x, y: x - y, value_of(a), value_of(b)) is None
    else:
        assert broadcast(lambda x, y: x - y, value_of(a), value_of(b)) == value_of(wanted)


def test_unknown_elements_stay_unknown() -> None:
    row = Value((2,), (None, 128))
    assert broadcast(lambda x, y: x + y, row, Value((), (1,))) == Value((2,), (None, 129))


def test_crc32c_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA


@pytest.mark.parametrize("name", ["trained", "raw_export", "combined"])
def test_every_tensor_of_a_checkpoint_equals_tensorflows(name: str) -> None:
    prefix = made() / name / ("ckpt-4" if name == "trained" else "variables/variables")
    found = {
        tensor.key: [tensor.dtype, list(tensor.shape), tensor.digest] for tensor in bundle_weights(prefix, keep=True)
    }
    assert found == oracle()["bundles"][name]


def test_variables_own_names_are_found() -> None:
    names = full_names(read_bundle(made() / "raw" / "w"))
    assert {"first/kernel", "norm/moving_mean", "third/bias"} <= set(names.values())


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("model/head/kernel/.ATTRIBUTES/VARIABLE_VALUE", MODEL),
        ("model/head/kernel/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE", OPTIMIZER),
        ("model/head/kernel/.OPTIMIZER_SLOT/optimizer/average/.ATTRIBUTES/VARIABLE_VALUE", AVERAGE),
        ("save_counter/.ATTRIBUTES/VARIABLE_VALUE", OTHER),
        ("FeatureExtractor/conv/weights", MODEL),
        ("FeatureExtractor/conv/weights/Momentum", OPTIMIZER),
        ("FeatureExtractor/conv/weights/ExponentialMovingAverage", AVERAGE),
        ("FeatureExtractor/BatchNorm/moving_average", MODEL),
        ("global_step", OTHER),
        ("optimizer/vars/3", OPTIMIZER),
        ("layers/conv2d/vars/0", MODEL),
        ("metrics/mean/vars/0", OTHER),
    ],
)
def test_what_a_stored_tensor_is_for(key: str, role: str) -> None:
    assert role_of(key, "float32") == role


def test_text_protobufs_are_read_as_protobuf_writes_them() -> None:
    file = descriptor_pb2.FileDescriptorProto(name='a "quoted" name', dependency=["x", "y"])
    message = file.message_type.add(name="inner")
    message.field.add(name="f", number=-3, label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL)
    read = parse_text_proto(text_format.MessageToString(file))
    assert read["dependency"] == ["x", "y"]
    assert read["message_type"][0]["name"] == ["inner"]
    assert read["message_type"][0]["field"] == [{"name": ["f"], "number": [-3], "label": ["LABEL_OPTIONAL"]}]


def test_text_protobufs_with_comments_lists_and_other_brackets() -> None:
    read = parse_text_proto("a: 1e-8 # one\nb < c: 'it' >; d: [1, 2.5]\n e { f: TRUE_VALUE } e { f: -2 }")
    assert read == {
        "a": [1e-8],
        "b": [{"c": ["it"]}],
        "d": [1, 2.5],
        "e": [{"f": ["TRUE_VALUE"]}, {"f": [-2]}],
    }


@pytest.mark.parametrize("text", ["a {", "}", "a: ", "{ }", "a { b: 1 >", '"x"', "a: 1 2", "a {" * 200 + "}" * 200])
def test_damaged_text_protobufs_are_refused(text: str) -> None:
    with pytest.raises(OddemoError, match="not a text protobuf"):
        parse_text_proto(text)
