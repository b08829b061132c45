"""Finding stages in graphs drawn by hand."""

from __future__ import annotations

from oddemo.audit.sources.taps import Graph, Node, find_taps

# image -> Pad -> conv1 -> conv2 -> cls_0 (+bias) -> Reshape -> Sigmoid -> ConcatV2 (scores)
#                               \-> box_0 (+bias) -> Reshape -> Split -> Exp ... ConcatV2 (boxes)
#                               \-> down -> cls_1, box_1
_NODES = (
    Node("Placeholder", (), ("image",)),
    Node("Pad", ("image", "p"), ("padded",)),
    Node("Conv2D", ("padded", "w"), ("conv1",)),
    Node("Conv2D", ("conv1", "w"), ("conv2",)),
    Node("Conv2D", ("conv2", "w"), ("down",)),
    *(
        node
        for level, source in enumerate(("conv2", "down"))
        for node in (
            Node("Conv2D", (source, "w"), (f"cls_{level}",)),
            Node("BiasAdd", (f"cls_{level}", "b"), (f"cls_{level}_b",)),
            Node("Conv2D", (source, "w"), (f"box_{level}",)),
            Node("BiasAdd", (f"box_{level}", "b"), (f"box_{level}_b",)),
            Node("Shape", (f"box_{level}_b",), (f"size_{level}",)),
            Node("Reshape", (f"cls_{level}_b", f"size_{level}"), (f"cls_{level}_r",)),
            Node("Sigmoid", (f"cls_{level}_r",), (f"score_{level}",)),
            Node("Reshape", (f"box_{level}_b", f"size_{level}"), (f"box_{level}_r",)),
            Node("Split", (f"box_{level}_r",), (f"dy_{level}", f"dh_{level}")),
            Node("Exp", (f"dh_{level}",), (f"h_{level}",)),
            Node("ConcatV2", (f"dy_{level}", f"h_{level}"), (f"decoded_{level}",)),
        )
    ),
    Node("ConcatV2", ("decoded_0", "decoded_1"), ("boxes",)),
    Node("ConcatV2", ("score_0", "score_1"), ("scores",)),
    Node("TopKV2", ("boxes", "scores"), ("kept",)),
)
_SHAPES = {
    **{f"{kind}_{level}_b": (None, 4 >> level, 4 >> level, 8) for kind in ("cls", "box") for level in (0, 1)},
    "boxes": (None, 40, 4),
    "scores": (None, 40, 4),
}


def test_stages_are_found_without_names():
    taps = find_taps(Graph(_NODES, _SHAPES))
    assert taps.pixels == "image"
    assert taps.class_logits == ("cls_0_b", "cls_1_b")
    assert taps.box_encodings == ("box_0_b", "box_1_b")
    assert (taps.decoded_boxes, taps.decoded_scores) == ("boxes", "scores")
    assert taps.notes == ()


def test_a_graph_without_convolutions_says_so():
    taps = find_taps(Graph((Node("MatMul", ("a", "b"), ("c",)),), {}))
    assert taps.named() == {}
    assert "no convolution" in taps.notes[0]


def test_heads_that_cannot_be_told_apart_are_not_guessed():
    nodes = tuple(node for node in _NODES if node.type != "Sigmoid")
    taps = find_taps(Graph(nodes, _SHAPES))
    assert taps.class_logits == ()
    assert "not told apart" in taps.notes[0]
