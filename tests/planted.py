"""Planting in a copy of a detector folder, and what it means that a planted fault is named."""

from __future__ import annotations

import shutil
from pathlib import Path

from oddemo.audit.diagnose import Cause
from oddemo.audit.faults.registry import fault
from oddemo.audit.images import ImageSet
from oddemo.audit.plant.build import checkpoint_of
from oddemo.audit.plant.record import Parts
from oddemo.audit.stages import STAGES, stage_index
from oddemo.audit.verdict import Audit
from oddemo.detect.folder import PARAMS, find_checkpoint, read_params


def in_folder(parts: Parts, detector: Path, folder: Path) -> str:
    """Plant what sits in params.yaml or in the checkpoint, in a copy of the detector folder."""
    from official.core import train_utils

    weights = {name: getattr(parts, name) for name in ("weights_moved", "left_out", "other_set")}
    assert parts == Parts(overrides=parts.overrides, **weights)
    shutil.copytree(detector, folder, ignore=shutil.ignore_patterns(PARAMS, "logs"))
    train_utils.serialize_config(read_params(detector, overrides=parts.overrides), str(folder))
    with checkpoint_of(parts, detector) as moved:
        for file in moved.parent.glob(f"{moved.name}.*") if moved is not None else ():
            shutil.copy(file, folder / file.name.replace(moved.name, find_checkpoint(detector).name))
    return f"tfvision:{folder}"


def verified(result: Audit) -> list[str]:
    return [cause.id for cause in result.causes if cause.verified]


def assert_named(result: Audit, fault_id: str, *, shows_at: str = "") -> Cause:
    """The planted fault is the one verified cause, shown first where the registry says, and gone with the cure."""
    told = f"{result.comparison.first_divergence}: {[(c.id, c.verified, c.claim) for c in result.causes]}"
    assert verified(result) == [fault_id], told
    assert [cause.id for cause in result.causes] == [fault_id], told
    compared = result.comparison.compared
    expected = stage_index(shows_at or fault(fault_id).shows_at)
    seen_from = next(stage for stage in STAGES[expected:] if stage in compared)
    assert result.comparison.first_divergence == seen_from, told
    # Without true boxes nothing can be called benign.
    assert (result.verdict, result.exit_status) == ("diverges", 1)
    assert result.after is not None
    assert result.after.first_divergence is None
    assert result.after.compared == compared
    (cause,) = result.causes
    assert cause.stage == fault(fault_id).stage
    assert cause.claim
    assert cause.fix
    assert f"0 of {len(result.material.pictures)} differ up to {seen_from}" in cause.evidence
    return cause


def with_turns(plain: ImageSet, root: Path) -> ImageSet:
    """Copy pictures, every third with an EXIF tag that asks for a turn; pixels as they were."""
    from PIL import Image

    for number, (name, path) in enumerate(zip(plain.names, plain.paths, strict=True)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as picture:
            tags = picture.getexif()
            if number % 3 == 0:
                tags[0x0112] = (3, 6, 8)[number // 3 % 3]
            picture.save(root / name, quality="keep", exif=tags)
    return ImageSet(root, plain.names)
