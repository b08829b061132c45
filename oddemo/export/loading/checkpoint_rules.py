"""Under which names a checkpoint keeps its variables, and whether a runtime's models look for them there."""

from __future__ import annotations

import re
from pathlib import Path

from oddemo.export.cards.bundle import read_bundle
from oddemo.export.cards.checkpoint import checkpoint_prefix
from oddemo.export.loading.offers import Runtime, keras_table
from oddemo.export.loading.record import CHANGES, FAILS, UNKNOWN, Reading, Reason

RESTORE = "tf.train.Checkpoint(model=model).read(PATH)"
ASSERTED = f"{RESTORE}.assert_existing_objects_matched()"
NOTE = "A checkpoint holds weights only: whether your code computes the same there is not in it."


def checkpoint_readings(place: Path, runtime: Runtime) -> tuple[Reading, ...]:
    """Return how a checkpoint of a Keras model can be restored by the same code in a runtime.

    Args:
        place: Its prefix, or its folder.
        runtime: Where it is restored.

    Raises:
        OddemoError: If it is not whole.
    """
    prefix = checkpoint_prefix(place) if place.is_dir() else place
    known = {name for names in keras_table()["checkpoint_names"].values() for name in names}
    used: dict[str, str] = {}
    for key in read_bundle(prefix).entries:
        for part in key.partition("/.")[0].split("/"):
            name = re.sub(r"\d+", "#", part)
            if name in known:
                used.setdefault(name, key.partition("/.")[0])
    if not used:
        text = "its variables have names that no Keras model writes: the code that restores it decides"
        reason = Reason("names_of_its_own", UNKNOWN, text)
        return (Reading(RESTORE, (reason,)), Reading(ASSERTED, (reason,)))
    looked_for = runtime.of_keras("checkpoint_names")
    foreign = {name: key for name, key in used.items() if name not in looked_for}
    if not foreign:
        return (Reading(RESTORE), Reading(ASSERTED))
    name, key = next(iter(foreign.items()))
    what = f"variables lie under {name}; models of Keras {runtime.keras} look under {', '.join(looked_for)}"
    return (
        Reading(RESTORE, (Reason("names_not_found", CHANGES, f"{what}: nothing is restored, without a word", key),)),
        Reading(ASSERTED, (Reason("names_not_found", FAILS, f"{what}: the assertion fails", key),)),
    )
