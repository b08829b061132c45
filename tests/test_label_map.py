"""Label maps: every usual spelling is read, what is written is what protocol buffers read, wrong ids are named."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.data.label_map import read_label_map, write_label_map
from oddemo.errors import OddemoError

LABELS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=8, unique=True)


def string_int_label_map():
    """The Object Detection API's message, built from its definition: an independent reader."""
    fields = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="oddemo_test_label_map.proto", package="oddemo_test")
    item = file.message_type.add(name="StringIntLabelMapItem")
    for number, (name, kind) in enumerate((("name", "STRING"), ("id", "INT32"), ("display_name", "STRING")), 1):
        item.field.add(name=name, number=number, type=getattr(fields, f"TYPE_{kind}"), label=fields.LABEL_OPTIONAL)
    whole = file.message_type.add(name="StringIntLabelMap")
    whole.field.add(
        name="item",
        number=1,
        type=fields.TYPE_MESSAGE,
        label=fields.LABEL_REPEATED,
        type_name=".oddemo_test.StringIntLabelMapItem",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("oddemo_test.StringIntLabelMap"))()


def read_text(text: str) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "label_map.pbtxt"
        path.write_text(text, encoding="utf-8")
        return read_label_map(path)


@settings(deadline=None)
@given(LABELS)
def test_protocol_buffers_and_our_reader_read_what_is_written(names):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "label_map.pbtxt"
        write_label_map(path, names)
        assert read_label_map(path) == tuple(names)
        message = text_format.Parse(path.read_bytes(), string_int_label_map())
    assert [(item.id, item.name) for item in message.item] == list(enumerate(names, 1))


@settings(deadline=None)
@given(LABELS, st.booleans())
def test_what_protocol_buffers_write_is_read(names, one_line):
    message = string_int_label_map()
    for number, name in reversed(list(enumerate(names, 1))):
        message.item.add(id=number, name=f"/m/{number}", display_name=name)
    for utf8 in (True, False):
        assert read_text(text_format.MessageToString(message, as_utf8=utf8, as_one_line=one_line)) == tuple(names)


@pytest.mark.parametrize(
    "text",
    [
        "item { id: 1 name: 'RBC' } item { id: 2 name: 'WBC' }",
        'item {\n  name: "RBC"\n  id: 1\n}\n\nitem {\n  name: "WBC"\n  id: 2\n}\n',
        "# cells\nitem: { id: 1, name: 'RBC', }  # red\nitem: { id: 2; name: \"WBC\" }",
        "item < id: 2 name: 'W' 'BC' > item < id: 1 name: 'R\\102C' >",
        "item{id:1 name:'/m/1' display_name:\"RBC\" keypoints { id: 3 label: '}' } ancestor_ids: [4, 5]}"
        "item{id:2 name:'WBC' frequency: FREQUENT}",
        "\ufeffitem {\r\n id: 1\r\n name: 'RBC'\r\n}\r\nitem {\r\n id: 2\r\n name: 'WBC'\r\n}\r\n",
    ],
)
def test_usual_spellings(text):
    assert read_text(text) == ("RBC", "WBC")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item { id: 0 name: 'background' } item { id: 1 name: 'RBC' }", r"ids 0, 1\n  do: id 0 is the background"),
        (
            "item { id: 1 name: 'a' } item { id: 3 name: 'b' }",
            r"expected: ids 1 to 2.*\n  found: ids 1, 3\n  do: number",
        ),
        ("item { id: 2 name: 'a' }", "found: ids 2"),
        ("item { id: 1 name: 'a' } item { id: 1 name: 'b' }", r"ids 1, 1\n  do: give every class an id of its own"),
        ("item { id: 1 name: 'a' } item { id: 2 name: 'a' }", "used more than once: a"),
        ("item { id: 1 name: '' }", "item 1 has no name"),
        ("item { name: 'a' }", "an item with id None"),
        ("item { id: one name: 'a' }", "an item with id one"),
        ("item { id: 1 name: 'a'", "malformed at line 1.*\n.*\n.*the end of the file"),
        ("item { id: 1 name: 'a }", "malformed at line 1"),
        ("item\n{ id: : 1 }", "malformed at line 2"),
        ("item { id: 1 'a' 'b' }", "malformed"),
        ("item { id: 1 name: '\\377' }", "a name in UTF-8"),
        ("a\nb\nc", "malformed at line 1"),
        ("item { id: 1 keypoints { id: 3 }", "the end of the file"),
        ("", "holds no class"),
    ],
)
def test_faults_are_named(text, message):
    with pytest.raises(OddemoError, match=message) as caught:
        read_text(text)
    assert "label_map.pbtxt" in str(caught.value)


def test_missing_and_binary_files(tmp_path):
    with pytest.raises(OddemoError, match="does not exist"):
        read_label_map(tmp_path / "none.pbtxt")
    (tmp_path / "binary.pbtxt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OddemoError, match="cannot be read"):
        read_label_map(tmp_path / "binary.pbtxt")


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "label_map.pbtxt"
    write_label_map(path, ["a"])
    with pytest.raises(OddemoError, match="exists already"):
        write_label_map(path, ["b"])
    assert read_label_map(path) == ("a",)
    write_label_map(path, ["b"], overwrite=True)
    assert read_label_map(path) == ("b",)
    for names in ([], ["a", "a"], [""]):
        with pytest.raises(OddemoError, match="do not tell the classes apart"):
            write_label_map(tmp_path / "other.pbtxt", names)
