"""Pictures of a fault: what the network sees, and what is found, beside what it should be.

Nothing is run here. Network inputs are made with OpenCV's resizer, as an app would, from a picture of the built-in
sample. Detections are those that the detector of the Object Detection API left in `data/odapi/traces`; where a broken
export of it was recorded too, that recording is shown, and otherwise the fault is done to the sound detections.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from oddemo.audit.faults.normalization import CONVENTIONS
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.clients.boxes_of_input import SIDE
from oddemo.audit.preprocessing import preprocess_images
from oddemo.audit.report.network_input import range_words, way_back
from oddemo.audit.settings import Preprocessing
from oddemo.audit.trace import Trace, load_trace
from oddemo.data.records import Detections

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample" / "inspection"
TRACES = ROOT / "data" / "odapi" / "traces"
#: Detections are drawn from this score on.
SCORE_FROM = 0.3
#: Pictures to show are chosen by what is found from this score on.
SURE_FROM = 0.5
#: How much a difference that nobody would see is made stronger.
STRONGER = 8
#: EXIF's number for a camera that was held upright.
TURNED = 6

_IMAGENET = CONVENTIONS["ImageNet mean and deviation"]
_UNIT = CONVENTIONS["values in [0, 1] (x / 255)"]


@dataclass(frozen=True)
class Example:
    """A drawn example.

    Attributes:
        figure: The figure; whoever saves it closes it.
        words: What it shows, for people who do not see it.
        caption: What stands below it.
    """

    figure: Figure
    words: str
    caption: str


def _as_trained() -> Preprocessing:
    params = yaml.safe_load((ROOT / "data" / "detectors" / "inspection" / "params.yaml").read_text(encoding="utf-8"))
    height, width, _ = params["task"]["model"]["input_size"]
    return Preprocessing((height, width), kernel="opencv/linear", decoder="accurate", normalizations=(_IMAGENET,))


#: Fault → what the app does, and the changed settings.
_INPUTS: dict[str, tuple[str, Callable[[Preprocessing], Preprocessing]]] = {
    "channel_order": ("the app feeds blue, green, red", lambda pre: replace(pre, channel_order="bgr")),
    "normalization_missing": ("the app feeds raw values", lambda pre: replace(pre, normalizations=())),
    "normalization_twice": (
        "divided by 255, normalised too",
        lambda pre: replace(pre, normalizations=(_UNIT, _IMAGENET)),
    ),
    "normalization_constants": ("the app divides by 255, no more", lambda pre: replace(pre, normalizations=(_UNIT,))),
    "aspect_ratio": ("the app stretches", lambda pre: replace(pre, keep_aspect_ratio=False)),
    "input_size": ("the export takes 96 x 96", lambda pre: replace(pre, input_size_hw=(96, 96))),
    "padding_value": (
        "the app pads with grey 114, centred",
        lambda pre: replace(pre, padding_grey=114.0, padding_position="centre"),
    ),
    "resize_kernel": ("the app resizes by area", lambda pre: replace(pre, kernel="opencv/area")),
    "exif_orientation": ("the app turns the picture", lambda pre: replace(pre, orientation="exif")),
}


def seen_by_network(fault_id: str) -> Example | None:
    """Draw what enters the network as trained and with the fault; None if the fault does not show there."""
    if fault_id not in _INPUTS:
        return None
    import matplotlib.pyplot as plt

    from oddemo.plots.pictures import draw_picture

    says, change = _INPUTS[fault_id]
    settings = (_as_trained(), change(_as_trained()))
    decoded = [_decoded(pre.orientation, turned=fault_id == "exif_orientation") for pre in settings]
    seen = [preprocess_images([image], pre).pixels[0] for image, pre in zip(decoded, settings, strict=True)]
    back = way_back(seen[0][None], [decoded[0]])
    shown = [back.picture(pixels) for pixels in seen]
    titles = ["as trained", says]
    if shown[0].shape == shown[1].shape and fault_id == "resize_kernel":
        apart = np.abs(seen[1] - seen[0]).mean(axis=-1) * np.mean(_IMAGENET.scale) * STRONGER
        shown.append(np.repeat(np.clip(apart, 0, 255).astype(np.uint8)[..., None], 3, axis=-1))
        titles.append(f"difference, {STRONGER} times")
    figure, axes = plt.subplots(1, len(shown), figsize=(3.9 * len(shown), 4.3), layout="constrained")
    for ax, picture, title in zip(axes, shown, titles, strict=True):
        draw_picture(picture, ax, title=title).title.set_fontsize(13)
    for ax, pixels in zip(axes, seen, strict=False):
        ax.set_xlabel(f"{pixels.shape[0]} x {pixels.shape[1]}, values {range_words(pixels)}", fontsize=11)
    words = (
        f"A picture of a metal surface as it enters the network. Left, as trained: values {range_words(seen[0])}. "
        f"Right, {says}: values {range_words(seen[1])}."
    )
    caption = (
        "What enters the network, brought back to grey levels in one way for both. "
        "The same picture of the built-in sample, resized with OpenCV."
    )
    return Example(figure, words, caption)


def _decoded(orientation: str, *, turned: bool) -> NDArray[np.uint8]:
    """Decode the example; as an upright camera stores it, with its tag, if `turned`."""
    from PIL import Image

    trace = _trace("reference")
    name = trace.image_names[_most_found(trace)]
    if not turned:
        return ImageSet(SAMPLE, (name,)).decode(decoder="accurate")[0]
    with tempfile.TemporaryDirectory() as folder, Image.open(SAMPLE / name) as picture:
        exif = picture.getexif()
        exif[0x0112] = TURNED
        picture.save(Path(folder) / "turned.jpg", exif=exif, quality=95)
        return ImageSet(Path(folder), ("turned.jpg",)).decode(orientation=orientation, decoder="accurate")[0]


#: Fault → recording of a broken export, and what it is.
_RECORDED = {
    "input_size": ("input_size_160", "its export, 160 x 160"),
    "label_offset": ("label_offset_client_subtracts", "a script subtracts 1 from the ids"),
    "nms_iou": ("nms_iou_0.85", "its export, overlap up to 0.85"),
    "normalization_twice": ("normalization_twice_client_first", "a script normalises first"),
    "score_threshold": ("score_threshold_0.4", "its export, threshold 0.4"),
    "wrong_checkpoint": ("wrong_checkpoint_early", "an early checkpoint, exported"),
}


def _first_two_swapped(found: Detections, _: tuple[int, int]) -> Detections:
    swapped = {1: 2, 2: 1}
    return replace(found, class_ids=np.array([swapped.get(one, one) for one in found.class_ids.tolist()]))


def _left_in_the_network(found: Detections, size_hw: tuple[int, int]) -> Detections:
    return replace(found, boxes_yxyx_px=found.boxes_yxyx_px / np.tile(size_hw, 2) * SIDE)


def _activated_again(found: Detections, _: tuple[int, int]) -> Detections:
    return replace(found, scores=1.0 / (1.0 + np.exp(-found.scores)))


#: Fault → what is done wrong to the sound detections of a picture of a known size, and its words.
_DONE: dict[str, tuple[str, Callable[[Detections, tuple[int, int]], Detections]]] = {
    "box_order": (
        "a script takes y for x",
        lambda found, _: replace(found, boxes_yxyx_px=found.boxes_yxyx_px[:, [1, 0, 3, 2]]),
    ),
    "box_scale": ("boxes stay in the network's pixels", _left_in_the_network),
    "label_map": ("another label map ships with it", _first_two_swapped),
    "max_detections": (
        "two detections are kept",
        lambda found, _: Detections(found.boxes_yxyx_px[:2], found.scores[:2], found.class_ids[:2]),
    ),
    "score_activation": ("a script takes scores for logits", _activated_again),
}


def found_on_picture(fault_id: str) -> Example | None:
    """Draw what a sound and a broken deployment find; None if there is neither recording nor way to do it here."""
    import matplotlib.pyplot as plt

    from oddemo.plots.pictures import draw_pair

    sound = _trace("reference")
    if fault_id in _RECORDED:
        name, says = _RECORDED[fault_id]
        broken = _trace(name)
        place = _most_changed(sound, broken)
        pair = (sound.detections[place], broken.detections[place])
        origin = "Recorded from the detector of the Object Detection API in data/odapi and from a broken export of it."
    elif fault_id in _DONE:
        says, change = _DONE[fault_id]
        place = _most_found(sound)
        image = _picture(sound, place)
        before = sound.detections[place]
        order = np.argsort(-before.scores, kind="stable")
        before = Detections(before.boxes_yxyx_px[order], before.scores[order], before.class_ids[order])
        pair = (before, change(before, (image.shape[0], image.shape[1])))
        origin = "Detections of the detector of the Object Detection API in data/odapi; right, the fault done to them."
    else:
        return None
    counts = [int((found.scores >= SCORE_FROM).sum()) for found in pair]
    # What is above the line only through a fault of the scores would cover the picture.
    shown = [found.above(SCORE_FROM) for found in pair]
    shown[1] = _first(shown[1], 12)
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    titles = (f"as trained: {counts[0]} found", f"{says}: {counts[1]} found")
    draw_pair(_picture(sound, place), shown[0], shown[1], sound.labels, axes, score_from=SCORE_FROM, titles=titles)
    for ax in axes:
        ax.title.set_fontsize(13)
    words = (
        f"The same picture twice. Left, as trained: {counts[0]} objects above a score of {SCORE_FROM:g}, "
        f"{_named(shown[0], sound)}. Right, {says}: {counts[1]} above it, {_named(shown[1], sound)}."
    )
    drawn = f" Of {counts[1]} boxes on the right, the first 12 are drawn." if counts[1] > 12 else ""
    return Example(figure, words, f"What is found above a score of {SCORE_FROM:g}. {origin}{drawn}")


def _first(found: Detections, count: int) -> Detections:
    return Detections(found.boxes_yxyx_px[:count], found.scores[:count], found.class_ids[:count])


def _named(found: Detections, trace: Trace) -> str:
    names = [
        trace.labels[one - 1] if 1 <= one <= len(trace.labels) else f"id {one}" for one in found.class_ids.tolist()
    ]
    each = [f"{names.count(name)} x {name}" for name in dict.fromkeys(names)]
    return ", ".join(each) or "nothing"


@cache
def _trace(name: str) -> Trace:
    return load_trace(TRACES / f"{name}.npz")


def _picture(trace: Trace, place: int) -> NDArray[np.uint8]:
    return ImageSet(SAMPLE, (trace.image_names[place],)).decode(decoder="accurate")[0]


def _most_found(trace: Trace) -> int:
    """The picture on which most is found for sure, and least besides."""

    def clear(place: int) -> int:
        found = trace.detections[place]
        sure, all_shown = len(found.above(SURE_FROM)), len(found.above(SCORE_FROM))
        return sure - (all_shown - sure)

    return max(range(len(trace.image_names)), key=clear)


def _most_changed(sound: Trace, broken: Trace) -> int:
    """The picture on which the lists of what is found differ most: in number, then in names, then in scores."""

    def apart(place: int) -> tuple[int, int, float]:
        one, other = (trace.detections[place].above(SCORE_FROM) for trace in (sound, broken))
        same = min(len(one), len(other))
        names = int((one.class_ids[:same] != other.class_ids[:same]).sum())
        return abs(len(one) - len(other)), names, float(np.abs(one.scores[:same] - other.scores[:same]).sum())

    return max(range(len(sound.image_names)), key=apart)


def as_jpeg(figure: Any) -> bytes:
    """Return a figure as JPEG and close it."""
    import matplotlib.pyplot as plt

    data = io.BytesIO()
    figure.savefig(data, format="jpg", dpi=90, pil_kwargs={"quality": 88})
    plt.close(figure)
    return data.getvalue()
