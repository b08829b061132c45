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
        where: Where it runs: the owner's own words.
        complaints: What its owner may say. Each is true of the clinic's pictures where it tells what was seen;
            none tells all of it, and what the owner makes of it is a guess, often a wrong one.
    """

    world: str
    planted: tuple[str, ...]
    where: str
    complaints: tuple[str, ...]

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

    def complaint(self, seed: int) -> str:
        """What its owner says in the folder of a seed."""
        return random.Random(f"complaint {seed} {self.planted}").choice(self.complaints)


#: One is sound, one has two faults, and no two have the same. What is planted acts at every stage but `heads`.
PATIENTS: tuple[Patient, ...] = (
    Patient(
        "inspection",
        (),
        "behind a web service",
        (
            "We act from one half on, and cracks hardly ever get there, though anybody can see them. The figures on "
            "the slide were better, so something must have been lost on the way to the server.",
            "One test picture comes back with nothing that we would act on, and there is damage in plain view. "
            "Operators say it was sharper in the demo. Does the service shrink what it is sent?",
        ),
    ),
    Patient(
        "inspection",
        ("channel_order/in_graph",),
        "behind a web service",
        (
            "On most parts the marks sit well, yet about half of them carry the wrong word. Pits and scratches are "
            "hardly ever among those. Somebody must have edited the list of names.",
            "Patches come back as inclusions, which cost us a day of false alarms. It never did that when I evaluated "
            "it. Too few examples of either in training, perhaps?",
        ),
    ),
    Patient(
        "wildlife",
        ("resize_kernel/opencv_client",),
        "in a script that goes through a folder every night",
        (
            "My list from the laptop and the one from last night do not have the same number of foxes, on the same "
            "card. Most figures differ in the second decimal. I suspect the new TensorFlow.",
            "Every animal that is plain to see is in the list. A doubtful one comes or goes, and all the percentages "
            "are slightly different from the evaluation's. Is that still rounding?",
        ),
    ),
    Patient(
        "wildlife",
        ("wrong_checkpoint/moved_a_little",),
        "behind a web service",
        (
            "The service is a touch surer of itself than our own evaluation, and reports a badger that was not there "
            "before. Nobody complains, but our release test wants equal figures. Is it the server's processor?",
            "Our release test failed by a few hundredths, with frames that look the same to the eye. Whoever deployed "
            "it has left. I would call it noise and raise the tolerance.",
        ),
    ),
    Patient(
        "inspection",
        ("quantization/dynamic",),
        "on a small board beside the camera",
        (
            "Board and workstation list the same defects on our test pictures, and never with quite the same "
            "percentages. Perhaps pictures are compressed on the way, or the board gets too hot.",
            "Somebody noticed that the board's figures are not the workstation's, from the second or third decimal "
            "on. So far no alarm has changed. Is it resizing in another way?",
        ),
    ),
    Patient(
        "inspection",
        ("anchors/size_4",),
        "behind a web service",
        (
            "The marks come out far too generous, so we grind away sound metal. What they are called and how many "
            "there are is fine. I think that the annotators were careless this time.",
            "Accuracy fell through the floor with the release. I went through the pictures and it finds what it "
            "should, only that neighbours' frames overlap now. Does the evaluation count differently?",
        ),
    ),
    Patient(
        "wildlife",
        ("box_order/client_xyxy",),
        "in a script that draws boxes for rangers",
        (
            "Frames hang between the trees or stand in the grass, with no animal in them. Species and percentages "
            "would be right for the picture, so I think that it draws those of the picture before.",
            "Rangers get tall narrow frames where animals are long and low. Some are cut off at the bottom of the "
            "picture. The cameras have got another resolution this year, could it be that?",
        ),
    ),
    Patient(
        "wildlife",
        ("score_threshold/client_filters",),
        "in a script that writes a table",
        (
            "The badgers became fewer, and one picture gets no row at all. The ranger says that they moved on. I say "
            "that the model has forgotten what they look like in the dark.",
            "What is in the table is correct, animal by animal, so I did not worry. Now somebody has evaluated it, "
            "and it is a good deal worse than the model we trained. Was it overtrained?",
        ),
    ),
    Patient(
        "wildlife",
        ("label_offset/client_subtracts",),
        "in a script that counts species",
        (
            "Not one badger since we deployed it, and this valley is full of them. Hares on the other hand are "
            "everywhere. Did training have too few pictures taken at night?",
            "My volunteers saw a handful of hares on these pictures and the script reports more than twice as many. "
            "I looked at where it finds them and there is always an animal. Do they look so alike?",
        ),
    ),
    Patient(
        "inspection",
        ("box_scale/client_stretches", "label_map/names_swapped"),
        "in a script that marks parts",
        (
            "The paint misses the defect, and is worst out at the lower edge of the part. The rig was moved last "
            "week, so the camera may have slipped. In the lab everything was fine.",
            "The log has more scratches than pits, and whoever inspects by hand sees the opposite. We cleaned the "
            "lens, which did not help. Is the new lamp too bright for it?",
        ),
    ),
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
