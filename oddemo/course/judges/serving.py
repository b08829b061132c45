"""Notebook 15: a serving function, judged by the audit itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from oddemo.audit.images import ImageSet
from oddemo.audit.story import detector_folder
from oddemo.audit.verdict import Audit
from oddemo.course.exercise import Exercise, NotYet
from oddemo.data.sample import sample_dataset
from oddemo.errors import OddemoError
from oddemo.quiet import native_stderr_silenced

#: Cause → where to look; the fix that the audit knows would be the answer.
_WHERE = {
    "image_decode": "one JPEG file can be read in two ways: with what did training open it?",
    "exif_orientation": "who turns the picture, and did training?",
    "channel_order": "in which order do the channels come from what opens the file?",
    "normalization_twice": "who normalises, the script, the export, or both?",
    "resize_kernel": "does the export want a picture of a certain size?",
    "box_order": "which coordinate comes first in the export's boxes, and which should come first in yours?",
    "box_scale": "in whose pixels are the export's boxes? One of its outputs says how the picture was scaled",
    "score_threshold": "which detections are left out, and did anybody ask for that?",
    "max_detections": "how many detections are handed on?",
    "output_order": "outputs have names: are they taken by their place?",
    "label_offset": "with which number do the export's class ids begin, and with which do yours?",
    "label_map": "does every id keep its meaning on the way?",
    "score_activation": "are scores that are handed out already changed once more?",
}


@cache
def _reference() -> Any:
    from oddemo.audit.sources.tfvision import TFVisionSource

    return TFVisionSource(detector_folder("inspection"))


def judge_serving(place: Any) -> str:
    """Judge `FILE.py:FUNCTION`, a function of a path that returns boxes, scores and classes."""
    from oddemo.audit.run import audit
    from oddemo.audit.sources.function import FunctionSource

    file, _, name = str(place).rpartition(":")
    if not file or not Path(file).is_file():
        raise NotYet(f"there is no file {file or place!r}", "run the cell that writes it, then this one")
    dataset = sample_dataset("inspection")
    pictures = ImageSet(dataset.root, tuple(record.file_name for record in dataset.records[:6]))
    try:
        with native_stderr_silenced():
            script = FunctionSource(Path(file), name)
            script.trace(pictures.take(range(1)))
            result = audit(_reference(), script, pictures)
    except OddemoError as error:
        if error.found == "NoneType":
            raise NotYet(f"{name} returns nothing yet") from None
        told = f"{error.problem.rstrip('.')}: {error.found}" if error.found else error.problem
        raise NotYet(told, error.do or error.expected or "call it by itself with one picture") from None
    return _told(result, len(pictures))


def _told(result: Audit, pictures: int) -> str:
    if result.verdict == "faithful":
        return f"the audit calls it faithful on {pictures} pictures"
    first = result.comparison.first_divergence
    found = f"the audit calls it {result.verdict}, first at {first}"
    if not result.causes:
        raise NotYet(f"{found}, and knows no cause", "leave out one line after the other that training does not have")
    many = f", and {len(result.causes) - 1} more" if len(result.causes) > 1 else ""
    cause = result.causes[0]
    raise NotYet(f"{found}: {cause.id}{many}", _WHERE.get(cause.id, f"what does your script do at {cause.stage}?"))


EXERCISES = (
    Exercise(
        "15.1",
        "write a serving function that the audit calls faithful",
        "run the export on one picture, and print the name and the shape of each output",
        judge_serving,
    ),
)
