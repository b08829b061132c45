"""The picture pairs of a report, as data: what is drawn where, and in which colour and dash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.report.choose import choose_pictures
from oddemo.audit.report.embed import Embedded, embed
from oddemo.audit.report.network_input import WayBack, range_words, way_back
from oddemo.audit.report.states import ShownBox, counted, score_to_show_from, shown_boxes
from oddemo.audit.trace import Trace
from oddemo.audit.verdict import Material
from oddemo.data.images import read_image_rgb
from oddemo.errors import OddemoError

Picture = NDArray[np.uint8]
#: Network inputs are shown small.
_INPUT_BUDGET = 500_000
_BUDGET = 1_900_000
#: Likeness above which two sides show the same.
EQUAL = 0.9995


@dataclass(frozen=True, eq=False)
class Side:
    """One source on one picture.

    Attributes:
        title: Which source.
        image: Index into the gallery's images.
        boxes: What it found; None if it shows no detections.
        network_input: Its network input as a picture; None if it does not show it.
        input_words: Size and range of the network input, or that it is not shown; empty if there is nothing to say.
    """

    title: str
    image: int
    boxes: tuple[ShownBox, ...] | None
    network_input: Embedded | None
    input_words: str


@dataclass(frozen=True, eq=False)
class Pair:
    """Both sources on one picture, and the reference with the causes taken on.

    Attributes:
        name: Of the picture.
        likeness: 1 if the detections are equal, 0 if they share nothing; None without detections.
        counts: What became of the boxes, in words.
        truth_yxyx_px: (N, 4) true boxes; empty if there are none.
        sides: Reference, candidate, and the reference with the causes taken on if there is one.
    """

    name: str
    likeness: float | None
    counts: str
    truth_yxyx_px: tuple[tuple[float, float, float, float], ...]
    sides: tuple[Side, ...]


@dataclass(frozen=True, eq=False)
class Gallery:
    """All picture pairs of a report.

    Attributes:
        pairs: The pictures that differ most, the worst first.
        images: Each embedded picture once; sides refer to them by index.
        score_from: Lower scores are not drawn.
        total: How many pictures the audit has.
    """

    pairs: tuple[Pair, ...]
    images: tuple[Embedded, ...]
    score_from: float
    total: int

    @property
    def choice(self) -> str:
        """Which pictures these are, in a sentence."""
        shown = f"{len(self.pairs)} of {self.total} pictures"
        alike = [pair.likeness for pair in self.pairs if pair.likeness is not None]
        if not alike:
            return f"The first {shown}."
        if min(alike) > EQUAL:
            return f"Both sides show the same on every picture; these are {shown}."
        return f"The {shown} on which the two sides are least alike."


def make_gallery(material: Material, count: int, *, cured: bool) -> Gallery:
    """Choose the pictures and lay out what is drawn on them.

    Args:
        material: What the audit was made from.
        count: How many pictures at the most.
        cured: Whether to show the reference with the causes taken on.
    """
    chosen = choose_pictures(material, count)
    columns = [("Reference", material.reference), ("Candidate", material.candidate)]
    if cured and material.cured is not None:
        columns.append(("Reference, same mistake", material.cured))
    score_from = score_to_show_from(material.reference.detections) if material.reference.detections else 0.0
    images, places = _images(material, [index for index, _ in chosen])
    inputs = _network_inputs([trace for _, trace in columns], [index for index, _ in chosen])
    pairs = []
    for row, (index, alike) in enumerate(chosen):
        boxes = [_boxes(material, trace, index, score_from) for _, trace in columns]
        sides = tuple(
            # The cured reference stands beside the candidate: it is shown on the candidate's picture.
            Side(title, places[row][min(column, 1)], boxes[column], *inputs[column][row])
            for column, (title, _) in enumerate(columns)
        )
        counts = counted(boxes[0], boxes[1]) if boxes[0] is not None and boxes[1] is not None else ""
        pairs.append(Pair(material.reference.image_names[index], alike, counts, _truth(material, index), sides))
    return Gallery(tuple(pairs), tuple(embed(images, budget=_BUDGET)), score_from, len(material.pictures))


def _boxes(material: Material, trace: Trace, index: int, score_from: float) -> tuple[ShownBox, ...] | None:
    other = material.reference if trace is material.candidate else material.candidate
    if not (trace.detections and other.detections):
        return None
    return shown_boxes(trace, other, index, score_from=score_from)


def _truth(material: Material, index: int) -> tuple[tuple[float, float, float, float], ...]:
    if material.truth is None:
        return ()
    boxes = material.truth.records[index].boxes_yxyx_px
    return tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in boxes)


def _images(material: Material, chosen: Sequence[int]) -> tuple[list[Picture], list[tuple[int, int]]]:
    """Return the decoded pictures, each once, and for each choice the places of the reference's and the candidate's."""
    images: list[Picture] = []
    places = []
    for index in chosen:
        first = _image(material.reference, index)
        second = _image(material.candidate, index)
        if first is None:
            first = second if second is not None else _from_disk(material, index)
        second = first if second is None else second
        images.append(first)
        if not np.array_equal(first, second):
            images.append(second)
            places.append((len(images) - 2, len(images) - 1))
        else:
            places.append((len(images) - 1, len(images) - 1))
    return images, places


def _image(trace: Trace, index: int) -> Picture | None:
    return trace.images[index] if trace.images else None


def _from_disk(material: Material, index: int) -> Picture:
    """Return the picture as Pillow reads it; plain grey if it is gone, since a recorded trace may outlive it."""
    try:
        return read_image_rgb(material.pictures.paths[index])
    except OddemoError:
        return np.full((240, 320, 3), 128, np.uint8)


def _network_inputs(traces: Sequence[Trace], chosen: Sequence[int]) -> list[list[tuple[Embedded | None, str]]]:
    """Return picture and words, for each trace and each choice; empty words where no trace shows its input."""
    shown = [trace.dense.get("pixels", {}).get("pixels") for trace in traces]
    first = next((pixels for pixels in shown if pixels is not None), None)
    if first is None:
        return [[(None, "")] * len(chosen) for _ in traces]
    back: WayBack = way_back(first, traces[0].images)
    pictures = [back.picture(pixels[index]) for pixels in shown if pixels is not None for index in chosen]
    embedded = iter(embed(pictures, budget=_INPUT_BUDGET))
    found: list[list[tuple[Embedded | None, str]]] = []
    for pixels in shown:
        if pixels is None:
            # The reference with the causes taken on starts where they act: it has no input of its own to show.
            found.append([(None, "not shown by this source" if len(found) < 2 else "")] * len(chosen))
            continue
        size = f"{pixels.shape[1]} × {pixels.shape[2]}"
        found.append([(next(embedded), f"{size}, values {range_words(pixels[index])}") for index in chosen])
    return found
