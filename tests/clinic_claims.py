"""What owners at the clinic say that they see, as something that can be counted on the clinic's pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from oddemo.audit.match import pair_detections
from oddemo.audit.trace import Trace
from oddemo.data.records import Dataset
from oddemo.data.wording import count_by_name

#: Owners look at what has at least this score, if they say nothing else.
SHOWN = 0.3


@dataclass(frozen=True)
class Look:
    """What is true, what the trained detector finds, and what the deployed one finds."""

    truth: Dataset
    trained: Trace
    deployed: Trace

    @cached_property
    def true(self) -> Counter[str]:
        return Counter(self.truth.class_names[one - 1] for record in self.truth.records for one in record.class_ids)

    def told(self, trace: Trace, score_from: float = SHOWN) -> Counter[str]:
        return Counter(count_by_name(trace.detections, trace.labels, score_from=score_from))

    def boxes(self, trace: Trace) -> NDArray[np.float32]:
        return np.concatenate([one.above(SHOWN).boxes_yxyx_px for one in trace.detections])

    def rows(self) -> list[int]:
        """How many are shown on each picture."""
        return [len(one.above(SHOWN)) for one in self.deployed.detections]

    def pairs(self) -> list[tuple[str, str, float]]:
        """Of what lies on one spot: both names, and by how much the deployed one's score is higher."""
        found = []
        for before, after in zip(self.trained.detections, self.deployed.detections, strict=True):
            one, other = before.above(SHOWN), after.above(SHOWN)
            names = (self.trained.labels, one.class_ids), (self.deployed.labels, other.class_ids)
            for row, column in pair_detections(one, other, minimum_iou=0.7).pairs:
                was, is_now = (labels[ids[at] - 1] for (labels, ids), at in zip(names, (row, column), strict=True))
                found.append((was, is_now, float(other.scores[column] - one.scores[row])))
        return found


def _sound(look: Look) -> bool:
    empty = [len(one.above(0.5)) for one in look.deployed.detections].count(0)
    return look.told(look.deployed, 0.5)["crack"] < look.true["crack"] / 3 and empty == 1


def _channels(look: Look) -> bool:
    renamed = Counter((was, now) for was, now, _ in look.pairs() if was != now)
    spared = sum(number for (was, _), number in renamed.items() if was in {"pit", "scratch"})
    share = renamed.total() / len(look.pairs())
    return 0.35 < share < 0.65 and spared <= 1 and renamed["patch", "inclusion"] > 5


def _kernel(look: Look) -> bool:
    changes = np.array([change for *_, change in look.pairs()])
    rounded = np.mean(np.abs(changes) > 0.005)
    plain = look.told(look.deployed, 0.5) == look.told(look.trained, 0.5)
    foxes = look.told(look.deployed)["fox"] != look.told(look.trained)["fox"]
    return bool(rounded > 0.5 and np.abs(changes).max() < 0.1 and plain and foxes)


def _checkpoint(look: Look) -> bool:
    changes = np.array([change for *_, change in look.pairs()])
    more = look.told(look.deployed) - look.told(look.trained)
    return bool(changes.mean() > 0 and 0.02 < np.abs(changes).max() < 0.06 and more == {"badger": 1})


def _eight_bits(look: Look) -> bool:
    changes = np.abs([change for *_, change in look.pairs()])
    return bool(changes.min() > 0 and changes.max() < 0.03 and look.told(look.deployed) == look.told(look.trained))


def _anchors(look: Look) -> bool:
    now, was = ((boxes[:, 2:] - boxes[:, :2]).mean(axis=0) for boxes in map(look.boxes, (look.deployed, look.trained)))
    return bool((now > 1.2 * was).all() and look.told(look.deployed) == look.told(look.trained))


def _order(look: Look) -> bool:
    now, was = ((boxes[:, 2:] - boxes[:, :2]).T for boxes in map(look.boxes, (look.deployed, look.trained)))
    height = look.deployed.images[0].shape[0] if look.deployed.images else look.trained.images[0].shape[0]
    cut = np.sum(look.boxes(look.deployed)[:, 2] >= height)
    return bool(np.median(now[0] / now[1]) > 1 > np.median(was[0] / was[1]) and cut > 2 and not look.pairs())


def _threshold(look: Look) -> bool:
    fewer = look.told(look.deployed)["badger"] < look.told(look.trained)["badger"]
    right = all(was == now for was, now, _ in look.pairs())
    return fewer and right and look.rows().count(0) == 1


def _offset(look: Look) -> bool:
    told = look.told(look.deployed)
    return told["badger"] == 0 and told["hare"] > 2 * look.true["hare"]


def _two(look: Look) -> bool:
    told = look.told(look.deployed)
    lifted = look.boxes(look.trained)[:, 2] - look.boxes(look.deployed)[:, 2]
    low = look.boxes(look.trained)[:, 2] > np.median(look.boxes(look.trained)[:, 2])
    swapped = told["scratch"] > told["pit"] and look.true["scratch"] < look.true["pit"]
    return bool(swapped and lifted.min() >= 0 and lifted[low].min() > lifted[~low].max() > 0)


#: Answer → whether its owner's complaints are true.
CLAIMS: Mapping[tuple[str, ...], Callable[[Look], bool]] = {
    ("faithful",): _sound,
    ("channel_order",): _channels,
    ("resize_kernel",): _kernel,
    ("wrong_checkpoint",): _checkpoint,
    ("quantization",): _eight_bits,
    ("anchors",): _anchors,
    ("box_order",): _order,
    ("score_threshold",): _threshold,
    ("label_offset",): _offset,
    ("box_scale", "label_map"): _two,
}
