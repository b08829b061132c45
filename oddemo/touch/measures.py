"""What is told of some detections: which are drawn, and the curve of precision over recall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oddemo.data.records import Dataset, Detections
from oddemo.metrics.matches import match_dataset
from oddemo.metrics.precision_recall import PrecisionRecall, precision_recall

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Detections are drawn from this score on, as an app draws them, and no more than anybody can tell apart.
DRAWN_FROM, DRAWN_MOST = 0.3, 20
#: Overlap from which a detection is right, in AP50.
_OVERLAP = 0.5


@dataclass(frozen=True, eq=False)
class Measured:
    """The detections of some pictures, measured.

    Attributes:
        found: One record a picture.
        curves: Class id → its curve at an overlap of 0.5, for classes that have true boxes.
    """

    found: tuple[Detections, ...]
    curves: dict[int, PrecisionRecall]

    @property
    def mean_ap50(self) -> float:
        """Mean of the areas of the curves."""
        return sum(curve.average_precision for curve in self.curves.values()) / len(self.curves)

    def drawn(self, index: int) -> Detections:
        """Return the detections of a picture that are drawn."""
        sure = self.found[index].above(DRAWN_FROM)
        best = slice(DRAWN_MOST)  # best score first
        return Detections(sure.boxes_yxyx_px[best], sure.scores[best], sure.class_ids[best])

    def told_of(self, index: int, class_id: int, name: str) -> str:
        """Return lines on one picture, one class, and the mean over all classes."""
        curve = self.curves[class_id]
        reached = float(curve.recall.max(initial=0.0))
        drawn, all_found = len(self.drawn(index)), len(self.found[index])
        return (
            f"picture {index + 1}: {drawn} of its {all_found} detections are drawn (from {DRAWN_FROM} on, "
            f"{DRAWN_MOST} at most)\n"
            f"{name}: recall reaches {reached:.2f}, AP50 {curve.average_precision:.2f}\n"
            f"all classes: mean AP50 {self.mean_ap50:.2f}"
        )


def measure(truth: Dataset, found: Sequence[Detections]) -> Measured:
    """Match detections with true boxes and return the curves.

    Args:
        truth: True boxes of the pictures.
        found: One record a picture, in the same order.
    """
    matches = match_dataset(truth, found, iou_thresholds=(_OVERLAP,))
    present = classes_with_truth(truth)
    return Measured(tuple(found), {class_id: precision_recall(matches, class_id) for class_id in present.values()})


def classes_with_truth(truth: Dataset) -> dict[str, int]:
    """Return name → id of the classes that have a true box in the pictures, in the order of ids."""
    present = {int(class_id) for record in truth.records for class_id in record.class_ids}
    return {name: number for number, name in enumerate(truth.class_names, 1) if number in present}


def plot_two_curves(now: PrecisionRecall, trained: PrecisionRecall, ax: Axes, *, title: str) -> None:
    """Draw the curve of the moment, and dashed the one as trained.

    Args:
        now: With the knobs as they stand.
        trained: With the settings of the training.
        ax: Where to draw.
        title: Above the plot.
    """
    # The dashes on top: where both are the same, both are seen.
    ax.step(now.recall, now.precision, "-", where="post", color="C0", linewidth=5, label="now")
    ax.step(trained.recall, trained.precision, "--", where="post", color="black", linewidth=2, label="as trained")
    ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.05))
    ax.set_title(title, parse_math=False)
    ax.legend(loc="lower left")
