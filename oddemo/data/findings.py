"""What a check of a dataset can find, and how much each kind of it matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from oddemo.errors import OddemoError

Severity = Literal["error", "warning", "info"]

#: Kind → how much it matters, and what it means.
KINDS: Mapping[str, tuple[Severity, str]] = {
    "missing_file": ("error", "the picture does not exist"),
    "unreadable": ("error", "the picture cannot be decoded"),
    "size_mismatch": ("error", "the picture is not as large as the annotation says"),
    "not_finite": ("error", "a coordinate is infinite or not a number"),
    "inside_out": ("error", "a box ends before it begins"),
    "zero_area": ("error", "a box has no width or no height"),
    "out_of_image": ("error", "a box reaches beyond the picture"),
    "duplicate": ("error", "two boxes of one class are the same"),
    "near_duplicate": ("warning", "two boxes of one class are almost the same"),
    "class_without_boxes": ("warning", "a class has no box at all"),
    "no_boxes": ("info", "a picture has no box"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Attributes:
        kind: One of `KINDS`.
        image_file: The picture's name below the dataset's root; None for what concerns the whole dataset.
        box_indices: Which boxes of the picture, counted from 0; two for duplicates.
        detail: The figures, in one line.
    """

    kind: str
    image_file: str | None
    box_indices: tuple[int, ...]
    detail: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OddemoError("This kind of finding is not known.", expected=", ".join(KINDS), found=self.kind)

    @property
    def severity(self) -> Severity:
        """How much findings of this kind matter."""
        return KINDS[self.kind][0]

    def __str__(self) -> str:
        boxes = f" box {' and '.join(map(str, self.box_indices))}" if self.box_indices else ""
        where = f"{self.image_file}{boxes}: " if self.image_file is not None else ""
        return f"{self.severity} {self.kind}: {where}{self.detail}"
