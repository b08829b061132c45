"""Finding faults in annotations: of boxes, of files, and of the two together."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from oddemo.data.boxes import pairwise_iou
from oddemo.data.findings import Finding
from oddemo.data.images import read_image_rgb
from oddemo.data.records import Dataset, ImageRecord
from oddemo.errors import OddemoError
from oddemo.progress import track

#: From this intersection over union on, two boxes of one class count as the same.
DUPLICATE_IOU = 0.99
#: Boxes may reach this far beyond the picture: other tools round coordinates to two digits.
EDGE_TOLERANCE_PX = 0.05


def check_dataset(dataset: Dataset, *, near_duplicate_iou: float = 0.8, read_files: bool = True) -> tuple[Finding, ...]:
    """Look for faults in a dataset's boxes and files; nothing is changed.

    Args:
        dataset: What to check.
        near_duplicate_iou: Two boxes of one class above this intersection over union are almost the same.
        read_files: Also decode every picture and compare its size with the annotation.

    Returns:
        The findings in the order of the pictures, those on the whole dataset last. A box that is not finite or inside
        out is reported for that alone.

    Raises:
        OddemoError: If the dataset holds no picture, or the threshold is not between 0 and 1.
    """
    if not 0 < near_duplicate_iou <= 1:
        raise OddemoError(
            "The threshold for near duplicates is not possible.",
            expected="an intersection over union above 0, at most 1",
            found=str(near_duplicate_iou),
        )
    if not dataset.records:
        raise OddemoError(f"{dataset.name} holds no picture: there is nothing to check.")
    findings: list[Finding] = []
    with ThreadPoolExecutor() as pool:
        of_files = pool.map(lambda record: file_finding(dataset, record) if read_files else None, dataset.records)
        pairs = zip(dataset.records, of_files, strict=True)
        for record, of_file in track(pairs, f"checking {dataset.name}", total=len(dataset)):
            if of_file is not None:
                findings.append(of_file)
            findings += box_findings(record)
            findings += duplicate_findings(dataset, record, near_duplicate_iou)
    used = {int(class_id) for record in dataset.records for class_id in record.class_ids}
    for class_id, name in enumerate(dataset.class_names, 1):
        if class_id not in used:
            findings.append(Finding("class_without_boxes", None, (), f"class {class_id} {name!r}"))
    return tuple(findings)


def file_finding(dataset: Dataset, record: ImageRecord) -> Finding | None:
    """Return what is wrong with a picture's file, if anything."""
    path = dataset.image_path(record)
    if not path.is_file():
        return Finding("missing_file", record.file_name, (), f"{path} does not exist")
    try:
        height, width, _ = read_image_rgb(path).shape
    except OddemoError as error:
        return Finding("unreadable", record.file_name, (), error.found or error.problem)
    if (height, width) == record.image_size_hw_px:
        return None
    turned = " (turned: perhaps by EXIF orientation)" if (width, height) == record.image_size_hw_px else ""
    said = " x ".join(map(str, record.image_size_hw_px))
    detail = f"the file has {height} x {width} pixels (height x width), the annotation says {said}{turned}"
    return Finding("size_mismatch", record.file_name, (), detail)


def box_findings(record: ImageRecord) -> Iterator[Finding]:
    """Yield what is wrong with each box of a picture by itself, and whether it has none."""
    if not len(record.boxes_yxyx_px):
        labels = ", ".join(map(str, record.attributes.get("labels_without_box", ())))
        yield Finding("no_boxes", record.file_name, (), f"labels without box: {labels}" if labels else "empty")
    height, width = record.image_size_hw_px
    for index, box in enumerate(record.boxes_yxyx_px):
        y_min, x_min, y_max, x_max = box.tolist()
        corners = f"y {y_min:g} to {y_max:g}, x {x_min:g} to {x_max:g}"
        if not np.isfinite(box).all():
            yield Finding("not_finite", record.file_name, (index,), corners)
        elif y_max < y_min or x_max < x_min:
            yield Finding("inside_out", record.file_name, (index,), corners)
        else:
            if y_max == y_min or x_max == x_min:
                yield Finding("zero_area", record.file_name, (index,), corners)
            beyond = max(-y_min, -x_min, y_max - height, x_max - width)
            if beyond > EDGE_TOLERANCE_PX:
                detail = f"{corners}; {beyond:g} pixels beyond a picture of {height} x {width} (height x width)"
                yield Finding("out_of_image", record.file_name, (index,), detail)


def duplicate_findings(dataset: Dataset, record: ImageRecord, near_duplicate_iou: float) -> Iterator[Finding]:
    """Yield pairs of boxes of one class that are the same, or almost."""
    finite = np.isfinite(record.boxes_yxyx_px).all(axis=1, keepdims=True)
    boxes = np.where(finite, record.boxes_yxyx_px, 0.0)
    same_class = record.class_ids[:, None] == record.class_ids[None, :]
    iou = np.triu(pairwise_iou(boxes, boxes) * same_class, k=1)
    for first, second in np.argwhere((iou >= DUPLICATE_IOU) | (iou > near_duplicate_iou)).tolist():
        kind = "duplicate" if iou[first, second] >= DUPLICATE_IOU else "near_duplicate"
        name = dataset.class_names[record.class_ids[first] - 1]
        detail = f"{name}, intersection over union {iou[first, second]:.3f}"
        yield Finding(kind, record.file_name, (first, second), detail)
