"""What a report draws: states of boxes, name tags, network inputs as pictures, colours, the interval bar."""

from __future__ import annotations

import base64
import io
import unicodedata
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import seaborn as sns
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from report_page import detections, material_of

from oddemo.audit.report.colours import CLASS_COLOURS, class_colour, ink_on
from oddemo.audit.report.drawing import drawn_boxes
from oddemo.audit.report.embed import embed
from oddemo.audit.report.interval_bar import WIDTH, interval_bar
from oddemo.audit.report.network_input import way_back
from oddemo.audit.report.states import ShownBox, score_to_show_from, shown_boxes
from oddemo.audit.report.visible import shortened, visible
from oddemo.audit.trace import Trace
from oddemo.audit.verdict import Audit, DeltaMap


def trace(*rows: tuple[float, float, float, float, float, int], labels: tuple[str, ...] = ("cat", "dog")) -> Trace:
    return Trace("python:x", ("a.jpg",), (), {}, (detections(*rows),), labels)


def states(one: Trace, other: Trace, **options: float) -> list[str]:
    return [box.state for box in shown_boxes(one, other, 0, score_from=options.get("score_from", 0.3))]


SMALL, LARGE = (10.0, 10.0, 40.0, 40.0), (60.0, 60.0, 160.0, 200.0)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((*SMALL, 0.9, 1), "agrees"),
        ((10.2, 10.0, 40.0, 40.0, 0.9005, 1), "agrees"),
        ((12.0, 10.0, 40.0, 40.0, 0.9, 1), "moved"),
        ((*SMALL, 0.8, 1), "moved"),
        ((*SMALL, 0.9, 2), "moved"),
        ((*LARGE, 0.9, 1), "only_here"),
        ((*SMALL, 0.2, 1), "only_here"),
    ],
)
def test_the_state_of_a_box_against_the_other_side(other, expected) -> None:
    assert states(trace((*SMALL, 0.9, 1)), trace(other)) == [expected]


def test_a_box_that_agrees_is_not_lost_at_the_edge_of_what_is_shown() -> None:
    assert states(trace((*SMALL, 0.3002, 1)), trace((*SMALL, 0.2998, 1))) == ["agrees"]
    assert states(trace((*SMALL, 0.9, 1)), trace()) == ["only_here"]
    assert states(trace(), trace((*SMALL, 0.9, 1))) == []


def test_names_count_and_not_ids() -> None:
    swapped = trace((*SMALL, 0.9, 2), labels=("dog", "cat"))
    assert states(trace((*SMALL, 0.9, 1)), swapped) == ["agrees"]


def test_states_are_told_alike_from_both_sides(channel_order_audit: Audit) -> None:
    material = material_of(channel_order_audit)
    for index in range(12):
        both = [
            Counter(box.state for box in shown_boxes(one, other, index, score_from=0.0, most=999))
            for one, other in ((material.reference, material.candidate), (material.candidate, material.reference))
        ]
        assert both[0]["moved"] == both[1]["moved"]
        assert both[0]["agrees"] == both[1]["agrees"]
        assert sum(both[0].values()) == len(material.reference.detections[index])


def test_timid_detectors_are_shown_from_a_lower_score() -> None:
    bold = detections(*[(*SMALL, score, 1) for score in (0.9, 0.8, 0.1)])
    timid = detections(*[(*SMALL, score / 100, 1) for score in range(20, 0, -1)])
    assert score_to_show_from([bold]) == 0.3
    assert score_to_show_from([timid]) == pytest.approx(0.16)
    assert score_to_show_from([detections()]) == 0.3


#: Letters, marks, numbers, punctuation, symbols, and the space.
SEEN = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"}
SEEN |= {"Sm", "Sc", "Sk", "So", "Zs"}

box = st.tuples(*[st.floats(-50.0, 400.0) for _ in range(4)])


@settings(deadline=None)
@given(st.lists(st.tuples(box, st.text(max_size=30)), max_size=12))
def test_name_tags_lie_in_the_picture_and_never_on_one_another(named) -> None:
    boxes = [ShownBox(b, 0.5, index, name, "agrees") for index, (b, name) in enumerate(named)]
    chips = [drawn.chip for drawn in drawn_boxes(boxes, (240, 320)) if drawn.chip is not None]
    covered = np.zeros((480, 640), np.int8)
    for chip in chips:
        assert chip.x >= 0.0
        assert chip.y >= 0.0
        assert chip.y + chip.height <= 240.1
        top, bottom = round(chip.y * 2) + 1, round((chip.y + chip.height) * 2) - 1
        left, right = round(chip.x * 2) + 1, round((chip.x + chip.width) * 2) - 1
        assert not covered[top:bottom, left:right].any()
        covered[top:bottom, left:right] = 1


def test_the_first_box_always_has_its_name() -> None:
    for place in ((0.0, 0.0, 240.0, 320.0), (0.0, 300.0, 5.0, 320.0), (235.0, 0.0, 240.0, 5.0)):
        drawn = drawn_boxes([ShownBox(place, 0.75, 2, "fox", "moved")], (240, 320))[0]
        assert drawn.chip is not None
        assert drawn.chip.text == "fox 0.75"
        assert drawn.chip.x + drawn.chip.width <= 320.1


def test_the_way_back_shows_the_reference_as_it_was(channel_order_audit: Audit) -> None:
    material = material_of(channel_order_audit)
    images = material.reference.images
    seen, turned = (t.dense["pixels"]["pixels"] for t in (material.reference, material.candidate))
    back = way_back(seen, images)
    for index in (0, 5):
        height, width = images[index].shape[:2]
        content = (round(height * 128 / max(height, width)), round(width * 128 / max(height, width)))
        expected = np.asarray(Image.fromarray(images[index]).resize(content[::-1], Image.Resampling.BOX), np.float64)
        got = back.picture(seen[index])[: content[0], : content[1]].astype(np.float64)
        assert np.abs(got - expected).mean() < 6.0
        assert np.abs(got.mean((0, 1)) - expected.mean((0, 1))).max() < 3.0
        # Taken the same way, the candidate shows its turned channels.
        other = back.picture(turned[index])[: content[0], : content[1]].astype(np.float64)
        assert np.abs(other - got[..., ::-1]).max() <= 4.0


@given(st.sampled_from([(0.0, 1.0), (123.0, 58.0), (127.5, 127.5)]), st.booleans())
def test_the_way_back_undoes_any_normalisation(constants, stretched) -> None:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (6, 8, 3), np.uint8)
    image = np.asarray(Image.fromarray(small).resize((80, 60), Image.Resampling.BICUBIC))
    size = (64, 64) if stretched else (64, 48)
    content = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR), np.float64)
    pixels = np.zeros((1, 64, 64, 3))
    pixels[0, : size[1], : size[0]] = (content - constants[0]) / constants[1]
    shown = way_back(pixels, [image]).picture(pixels[0])[: size[1], : size[0]]
    assert np.abs(shown.astype(np.float64) - content).max() <= 1.0


def test_without_a_picture_the_range_is_spread() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.uniform(-1.0, 1.0, (2, 16, 16, 3))
    stranger = rng.integers(0, 256, (16, 16, 3), np.uint8)
    for images in ([], [stranger, stranger]):
        shown = way_back(pixels, images).picture(pixels[0])
        assert shown.min() < 10
        assert shown.max() > 245
    flat = np.full((1, 8, 8, 3), 2.0)
    assert way_back(flat, [stranger]).picture(flat[0]).shape == (8, 8, 3)


def test_embedded_pictures_are_the_pictures() -> None:
    image = np.zeros((60, 90, 3), np.uint8)
    image[:, 45:] = (200, 40, 120)
    one = embed([image])[0]
    assert one.size_hw_px == (60, 90)
    raw = base64.b64decode(one.uri.removeprefix("data:image/jpeg;base64,"))
    decoded = np.asarray(Image.open(io.BytesIO(raw)), np.int16)
    assert decoded.shape == (60, 90, 3)
    assert np.abs(decoded - image)[:, [10, 80]].max() < 8
    noise = [np.random.default_rng(i).integers(0, 256, (700, 300, 3), np.uint8) for i in range(3)]
    assert sum(len(part.uri) for part in embed(noise, budget=90_000)) <= 90_000
    assert embed(noise, budget=90_000)[0].size_hw_px == (700, 300)


def test_the_colours_are_seaborn_s_and_letters_stand_out_on_them() -> None:
    assert list(CLASS_COLOURS) == list(sns.color_palette("colorblind").as_hex())
    assert class_colour(1) == class_colour(11) == CLASS_COLOURS[0]
    assert class_colour(0) in CLASS_COLOURS
    for ground in CLASS_COLOURS:
        assert _contrast(ground, ink_on(ground)) >= 4.5


def _contrast(one: str, two: str) -> float:
    """WCAG 2's ratio of two colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (((c + 0.055) / 1.055) ** 2.4 if c > 0.04045 else c / 12.92 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@given(st.tuples(*[st.floats(-1.0, 1.0) for _ in range(3)]).map(sorted))
def test_the_interval_bar_keeps_order_and_scale(values) -> None:
    low, point, high = values
    bar = interval_bar(DeltaMap(point, low, high, 10, 0.5, 0.5 + point))
    assert 0.0 <= bar.low <= bar.point <= bar.high <= WIDTH
    assert 0.0 <= bar.zero <= WIDTH
    assert (bar.low <= bar.zero <= bar.high) == (low <= 0.0 <= high) or abs(low) < 0.01 or abs(high) < 0.01
    assert 3 <= len(bar.ticks) <= 8
    # The axis is linear: what the ticks say is where the points are.
    places = np.array([place for place, _ in bar.ticks])
    numbers = np.array([float(text.replace("−", "-")) for _, text in bar.ticks])
    assume(np.ptp(numbers) > 0)
    assert np.interp(bar.point, places, numbers) == pytest.approx(point, abs=0.006)


@given(st.text())
def test_visible_text_has_no_unseen_letters(text: str) -> None:
    shown = visible(text)
    assert {unicodedata.category(letter) for letter in shown} <= SEEN
    plain = "".join(letter for letter in text if letter.isascii() and letter.isprintable())
    assert visible(plain) == plain
    assert len(shortened(text, 10)) <= 10


def test_a_truthless_audit_draws_no_true_boxes(channel_order_audit: Audit) -> None:
    from oddemo.audit.report.pictures import make_gallery

    material = material_of(channel_order_audit)
    with_truth, without = (make_gallery(m, 3, cured=True) for m in (material, replace(material, truth=None)))
    assert all(pair.truth_yxyx_px for pair in with_truth.pairs)
    assert not any(pair.truth_yxyx_px for pair in without.pairs)
    assert with_truth.choice == "The 3 of 12 pictures on which the two sides are least alike."
