"""The runtime that is asked about, as on pip's command line: `tensorflow==2.15`, `tensorflow==2.16,keras==3.15.1`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from oddemo.errors import OddemoError
from oddemo.export.loading.offers import Runtime, keras_of, keras_versions, standing_for, tensorflow_versions

_PART = re.compile(r"(?P<name>[A-Za-z][\w.-]*)\s*==\s*(?P<version>\d+(?:\.\d+){1,2})")
_NAMES = {"tensorflow": "tensorflow", "tensorflow-cpu": "tensorflow", "keras": "keras", "tf-keras": "keras"}
_EXAMPLE = "tensorflow==2.15, or tensorflow==2.16,keras==3.15.1"


@dataclass(frozen=True)
class Target:
    """A runtime as it was asked for, and the ones that stand for it.

    Attributes:
        asked: As it was written.
        runtimes: One, or two if it lies between two versions that were asked what they offer.
    """

    asked: str
    runtimes: tuple[Runtime, ...]

    @property
    def versions(self) -> tuple[str, str]:
        """TensorFlow's version as it was asked for, and Keras's: as asked for, or the one that comes with it."""
        asked = dict(part.split("==") for part in self.asked.split(","))
        named = {_NAMES[name.lower()]: version for name, version in asked.items()}
        with_it = " or ".join(dict.fromkeys(one.keras for one in self.runtimes))
        return named["tensorflow"], named.get("keras", with_it)

    @property
    def note(self) -> str | None:
        """What was put in place of what was asked for, None if nothing."""
        known = " and ".join(f"TensorFlow {one.tensorflow} with Keras {one.keras}" for one in self.runtimes)
        exact = {f"tensorflow=={one.tensorflow},keras=={one.keras}" for one in self.runtimes}
        if self.asked in exact:
            return None
        return f"said of {known}" + (", and taken where both agree" if len(self.runtimes) > 1 else "")

    def to_json(self) -> dict[str, Any]:
        """Return the target as JSON values."""
        return {"asked": self.asked, "runtimes": [dict(vars_of(one)) for one in self.runtimes]}


def vars_of(runtime: Runtime) -> dict[str, str]:
    """Return a runtime's two versions."""
    return {"tensorflow": runtime.tensorflow, "keras": runtime.keras}


def parse_target(text: str) -> Target:
    """Return the runtime that a user names.

    Args:
        text: `tensorflow==VERSION`, and after a comma `keras==VERSION` if it is not the one of the lane: a version of
            TensorFlow does not pin Keras from 2.16 on.

    Raises:
        OddemoError: If it is no such text, or a version lies outside of what was asked.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        name = _NAMES.get(match["name"].lower()) if match else None
        if match is None or name is None or name in found:
            raise OddemoError("This is no runtime.", expected=_EXAMPLE, found=repr(text))
        found[name] = match["version"]
    if "tensorflow" not in found:
        raise OddemoError("A runtime needs a version of TensorFlow.", expected=_EXAMPLE, found=repr(text))
    tensorflow = _known("tensorflow", found["tensorflow"], tensorflow_versions())
    if "keras" in found:
        keras = _known("keras", found["keras"], keras_versions())
        runtimes = tuple(Runtime(first, second) for first in tensorflow for second in keras)
    else:
        runtimes = tuple(Runtime(version, keras_of(version)) for version in tensorflow)
    return Target(text.replace(" ", ""), runtimes)


def every_target() -> tuple[Target, ...]:
    """Return every TensorFlow that was asked what it offers, with the Keras that it had, oldest first."""
    return tuple(
        Target(f"tensorflow=={version},keras=={keras_of(version)}", (Runtime(version, keras_of(version)),))
        for version in tensorflow_versions()
    )


def _known(name: str, version: str, known: tuple[str, ...]) -> tuple[str, ...]:
    found = standing_for(version, known)
    if not found:
        raise OddemoError(
            f"Nothing is known of {name} {version}.",
            expected=f"{known[0]} to {known[-1]}",
            found=version,
            do="take the nearest of these, and try the artefact there itself",
        )
    return found
