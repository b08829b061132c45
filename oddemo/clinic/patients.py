"""Who comes to the clinic: ten deployments, and the order in which a seed calls them in.

The key is nowhere but here: a folder keeps its seed, and from that the order follows again.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from oddemo.audit.faults.record import Fault
from oddemo.audit.faults.registry import fault
from oddemo.audit.plant.record import Parts, Plant
from oddemo.audit.plant.registry import find_plant

#: What is answered where nothing is wrong: the audit's word for it.
SOUND = "faithful"


@dataclass(frozen=True)
class Patient:
    """A deployment of a shipped detector.

    Attributes:
        world: Which of the two detectors it was made from.
        planted: Names of the plants, `fault/variant`; none if it is sound.
        complaint: What its owner reports, where no fault's symptom says it.
        where: Where it runs: the owner's own words.
    """

    world: str
    planted: tuple[str, ...]
    where: str
    complaint: str = ""

    @property
    def plants(self) -> tuple[Plant, ...]:
        """What was planted."""
        return tuple(find_plant(name) for name in self.planted)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong, in the order of the pipeline."""
        return tuple(fault(plant.fault) for plant in self.plants)

    @property
    def answer(self) -> tuple[str, ...]:
        """What has to be answered."""
        return tuple(one.id for one in self.faults) or (SOUND,)

    @property
    def parts(self) -> Parts:
        """What is wrong, part by part."""
        joined = Parts()
        for plant in self.plants:
            joined = joined.joined(plant.parts)
        return joined

    @property
    def report(self) -> str:
        """What its owner sees."""
        return self.complaint or " And: ".join(one.symptom for one in self.faults)


#: One is sound, one has two faults, and no two have the same. What is planted acts at every stage but `heads`.
PATIENTS: tuple[Patient, ...] = (
    Patient(
        "inspection",
        (),
        "behind a web service",
        "The test pictures were fine. On the line it finds less than was promised, so the export must be broken.",
    ),
    Patient("inspection", ("channel_order/in_graph",), "behind a web service"),
    Patient("wildlife", ("resize_kernel/opencv_client",), "in a script that goes through a folder every night"),
    Patient("wildlife", ("wrong_checkpoint/moved_a_little",), "behind a web service"),
    Patient("inspection", ("quantization/dynamic",), "on a small board beside the camera"),
    Patient("inspection", ("anchors/size_4",), "behind a web service"),
    Patient("wildlife", ("box_order/client_xyxy",), "in a script that draws boxes for rangers"),
    Patient("wildlife", ("score_threshold/client_filters",), "in a script that writes a table"),
    Patient("wildlife", ("label_offset/client_subtracts",), "in a script that counts species"),
    Patient("inspection", ("box_scale/client_stretches", "label_map/names_swapped"), "in a script that marks parts"),
)


def called_in(seed: int) -> tuple[Patient, ...]:
    """Return the patients in the order of a seed: the first is case 1.

    Args:
        seed: The folder's seed.
    """
    order = list(PATIENTS)
    # Seeds beside each other give orders that have nothing in common.
    random.Random(f"clinic {seed}").shuffle(order)
    return tuple(order)


def fingerprint() -> str:
    """Return what tells these patients from those of another version, whose folders have another key."""
    told = [(patient.world, patient.planted) for patient in PATIENTS]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
