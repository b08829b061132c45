"""The lanes that there are: which TensorFlow, which Keras, what for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from oddemo.errors import OddemoError

LOCKS = Path(__file__).parent / "locks"
#: The one Python for which TensorFlow 2.12 to 2.21 all have packages.
PYTHON = "3.11"


@dataclass(frozen=True)
class Lane:
    """An environment that is made on demand from a lock in this package.

    Attributes:
        name: As the user writes it.
        meaning: What it is for, in a few words.
        requirements: From which the lock is made.
        alone: Requirements that are locked without what they ask for: their own wishes date from years ago.
        module: The package below `scripts` that runs in it.
        size_mb: About what it takes on disk when nothing of it is there yet.
        python: Its minor version.
        role: `matrix`: it writes and reads in the version matrix; `asked`: it is only asked what it offers, for
            predictions; `held_out`: it is not even asked, so that predictions can be tested on it; `odapi`.
        locks: Folder with its lock.
    """

    name: str
    meaning: str
    requirements: tuple[str, ...]
    alone: tuple[str, ...] = ()
    module: str = "oddemo_probe"
    size_mb: int = 1500
    python: str = PYTHON
    role: str = "matrix"
    locks: Path = LOCKS

    @property
    def lock(self) -> Path:
        """The file with every package's version and hashes."""
        return self.locks / f"{self.name}.txt"

    @property
    def key(self) -> str:
        """Stands for everything that is installed: the lock's content and Python's version."""
        return hashlib.sha256(f"{self.python}\n".encode() + self.lock.read_bytes()).hexdigest()[:16]


def _tensorflow(
    version: str, *others: str, meaning: str, role: str = "matrix", another_keras: str | None = None
) -> Lane:
    """Return the lane `tf2.18`, or `tf2.18+keras3.7` where it has another Keras than the lane of that TensorFlow.

    Folders are named after lanes, with a hyphen and a hash behind; so no name may begin with another and a hyphen.
    """
    name = f"tf{_minor(version)}"
    if another_keras is not None:
        name, others = f"{name}+keras{_minor(another_keras)}", (f"keras=={another_keras}", *others)
    return Lane(name, meaning, (f"tensorflow-cpu=={version}", *others), role=role)


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


LANES: tuple[Lane, ...] = (
    _tensorflow("2.12.1", "numpy==1.24.3", meaning="Keras 2.12, files still HDF5 inside"),
    _tensorflow("2.15.1", "numpy==1.26.4", meaning="the last with Keras 2"),
    _tensorflow("2.16.2", "keras==3.3.3", "numpy==1.26.4", meaning="the first with Keras 3, in the Keras of its day"),
    _tensorflow("2.18.1", "numpy==2.0.2", meaning="Keras 3, the first with NumPy 2"),
    _tensorflow("2.20.0", meaning="Keras 3, the version that oddemo itself runs on"),
    _tensorflow("2.21.0", meaning="Keras 3, the newest"),
    _tensorflow("2.14.1", "numpy==1.26.4", meaning="Keras 2.14, asked for predictions", role="asked"),
    _tensorflow("2.19.1", "keras==3.9.2", "numpy==2.1.3", meaning="Keras 3.9, asked for predictions", role="asked"),
    _tensorflow("2.13.1", "numpy==1.24.3", meaning="Keras 2.13, asked for predictions", role="asked"),
    _tensorflow("2.17.1", "keras==3.5.0", "numpy==1.26.4", meaning="Keras 3.5, asked for predictions", role="asked"),
    _tensorflow(
        "2.18.1", "numpy==2.0.2", meaning="Keras 3.7, to test predictions with", role="held_out", another_keras="3.7.0"
    ),
    _tensorflow(
        "2.19.1",
        "numpy==2.1.3",
        meaning="Keras 3.10, to test predictions with",
        role="held_out",
        another_keras="3.10.0",
    ),
    _tensorflow("2.20.0", meaning="Keras 3.11, to test predictions with", role="held_out", another_keras="3.11.3"),
    Lane(
        "odapi",
        "TensorFlow 2.15 with the TF2 Object Detection API: trains, exports and records",
        # What the API imports and SSD needs; for the rest see scripts/oddemo_odapi/shims.py.
        ("tensorflow-cpu==2.15.1", "numpy==1.26.4", "pillow", "six"),
        alone=("tf-object-detection-api==0.1", "tf-slim==1.1.0"),
        module="oddemo_odapi",
        role="odapi",
    ),
)


def find_lane(name: str) -> Lane:
    """Return a lane by its name.

    Raises:
        OddemoError: If there is none.
    """
    for lane in LANES:
        if lane.name == name:
            return lane
    raise OddemoError(f"There is no lane {name!r}.", expected=", ".join(lane.name for lane in LANES))
