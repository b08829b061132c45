"""An audit as a log folder that TensorBoard opens: numbers, the verdict in words, pictures with both sides' boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.report.choose import choose_pictures
from oddemo.audit.verdict import Audit
from oddemo.detect.runtime import load_tensorflow
from oddemo.files import atomic_folder, refuse_to_overwrite
from oddemo.viewers.material import material_of

#: Pictures that are shown, those that differ most first.
PICTURES = 8
#: Detections are drawn from this score on.
SCORE_FROM = 0.3
#: Steps at which numbers are logged: as the candidate is, and with the verified causes taken on by the reference.
AS_IT_IS, AFTER = 0, 1


def write_tensorboard(audit: Audit, folder: Path, *, overwrite: bool = False) -> Path:
    """Write an audit as event files; `tensorboard --logdir FOLDER` shows them.

    Scalars: `change_in_map/point`, `low`, `high` where true boxes were given, and `largest_difference/STAGE` at step 0
    as it is and at step 1 with the verified causes taken on by the reference. Text: `audit`. Images: `pictures/NAME`,
    the reference on the left.

    Args:
        audit: With its pictures, as `oddemo.audit.run.audit` returns it.
        folder: Where the event file goes.
        overwrite: Replace what is there.

    Returns:
        The folder.

    Raises:
        OddemoError: If the audit has no pictures or detections, or the folder is taken.
    """
    refuse_to_overwrite(folder, overwrite=overwrite)
    material_of(audit)
    tf = load_tensorflow()
    with atomic_folder(folder) as temporary:
        writer = tf.summary.create_file_writer(str(temporary))
        with writer.as_default():
            _numbers(audit, tf.summary)
            tf.summary.text("audit", in_words(audit), step=AS_IT_IS)
            for name, pixels in _pictures(audit):
                tf.summary.image(f"pictures/{name}", pixels[None], step=AS_IT_IS)
        writer.close()
    return folder


def in_words(audit: Audit) -> str:
    """Return verdict, first difference and causes as Markdown."""
    where = audit.comparison.first_divergence
    lines = [f"**{audit.verdict}**: {f'the first stage that differs is {where}' if where else 'no stage differs'}."]
    for cause in audit.causes:
        kind = "cause" if cause.verified else "suspected"
        lines.append(f"- {kind} `{cause.id}`: the candidate {cause.claim}. To change: {cause.fix}")
    return "\n\n".join([lines[0], "\n".join(lines[1:])]).strip()


def _numbers(audit: Audit, summary: Any) -> None:
    delta = audit.delta_map
    if delta is not None:
        for name in ("point", "low", "high", "reference", "candidate"):
            summary.scalar(f"change_in_map/{name}", getattr(delta, name), step=AS_IT_IS)
    for step, comparison in ((AS_IT_IS, audit.comparison), (AFTER, audit.after)):
        for stage in () if comparison is None else comparison.stages:
            if stage.largest_difference is not None:
                summary.scalar(f"largest_difference/{stage.stage}", stage.largest_difference, step=step)


def _pictures(audit: Audit) -> list[tuple[str, NDArray[np.uint8]]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from oddemo.plots.pictures import draw_pair

    material = material_of(audit)
    shown = []
    for index, _ in choose_pictures(material, PICTURES):
        figure = Figure(figsize=(12, 5), layout="constrained", dpi=100)
        canvas = FigureCanvasAgg(figure)
        draw_pair(
            material.pictures.take([index]).decode()[0],
            material.reference.detections[index],
            material.candidate.detections[index],
            material.reference.labels,
            list(figure.subplots(1, 2)),
            score_from=SCORE_FROM,
            truth=None if material.truth is None else material.truth.records[index],
        )
        canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(canvas.buffer_rgba(), dtype=np.uint8)[..., :3]  # type: ignore[no-untyped-call]
        shown.append((material.pictures.names[index], drawn.copy()))
    return shown
