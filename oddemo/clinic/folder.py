"""Reading a clinic's folder again: which case is which follows from its seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oddemo.audit.faults.registry import FAULTS
from oddemo.audit.stages import STAGES
from oddemo.clinic.notes import case_name
from oddemo.clinic.patients import SOUND, Patient, called_in, fingerprint
from oddemo.errors import OddemoError
from oddemo.files import read_json, write_json

SEED_FILE = "clinic.json"


@dataclass(frozen=True)
class Checked:
    """What an answer is worth.

    Attributes:
        right: Whether it names all that is wrong, and nothing else.
        hint: Where to look, if it does not.
    """

    right: bool
    hint: str = ""


def write_seed(folder: Path, seed: int) -> None:
    """Write down from which seed a folder was made; nothing else tells its cases."""
    write_json(folder / SEED_FILE, {"seed": seed, "patients": fingerprint()})


def read_patients(folder: Path) -> tuple[Patient, ...]:
    """Return the patients of a folder, case by case.

    Raises:
        OddemoError: If the folder is no clinic, or one of another version.
    """
    path = Path(folder) / SEED_FILE
    if not path.is_file():
        raise OddemoError(
            f"{folder} is not a clinic.",
            expected=f"a folder with a file {SEED_FILE}",
            do="make one: oddemo clinic make FOLDER",
        )
    told = read_json(path)
    seed = told.get("seed") if isinstance(told, dict) else None
    if not isinstance(seed, int) or told.get("patients") != fingerprint():
        raise OddemoError(
            f"{folder} was made by another version of oddemo, with other cases.",
            expected=f"cases {fingerprint()}",
            found=str(told)[:80],
            do="make it again: oddemo clinic make FOLDER",
        )
    return called_in(seed)


def patient_of(folder: Path, case: str) -> Patient:
    """Return the patient of a case: `case_03`, `03` or `3`.

    Raises:
        OddemoError: If there is no such case.
    """
    patients = read_patients(folder)
    number = re.fullmatch(r"(?:case_)?0*(\d{1,3})/?", case)
    if number is None or not 1 <= int(number[1]) <= len(patients):
        raise OddemoError(
            f"There is no case {case!r}.", expected=f"{case_name(1)} to {case_name(len(patients))}", found=case
        )
    return patients[int(number[1]) - 1]


def check(folder: Path, case: str, answers: Sequence[str]) -> Checked:
    """Say whether an answer is right; if not, at which stage to start looking, and never what is wrong there.

    Args:
        folder: The clinic.
        case: Name of the case.
        answers: Fault ids, or `faithful`.

    Raises:
        OddemoError: If there is no such case, or an answer is no fault's id.
    """
    patient = patient_of(folder, case)
    _refuse_strange(answers)
    if set(answers) == set(patient.answer):
        return Checked(True)
    missing = [fault for fault in patient.faults if fault.id not in answers]
    # Of a sound one, as of all others: the way is to follow a picture from there on.
    stage = missing[0].stage if missing else "image"
    partly = len(set(answers) & set(patient.answer))
    found = f"{partly} of your {len(set(answers))} answers fits, and it is not the whole. " if partly else ""
    return Checked(False, f"{found}Follow one picture through both, from the stage {stage!r} on.")


def _refuse_strange(answers: Sequence[str]) -> None:
    """Refuse what names no fault; who gives a stage is told that only causes are judged."""
    known = {fault.id for fault in FAULTS} | {SOUND}
    strange = [answer for answer in dict.fromkeys(answers) if answer not in known]
    if answers and not strange:
        return
    expected = f"one or more of {', '.join(sorted(known))}"
    if not strange:
        raise OddemoError("There is no answer.", expected=expected, found="nothing")
    stages = [answer for answer in strange if answer in STAGES]
    if stages:
        raise OddemoError(
            f"{stages[0]!r} is a stage. What is judged is the cause.",
            expected=expected,
            found=", ".join(answers),
            do="keep the stage on your paper, and answer what goes wrong at it",
        )
    raise OddemoError(f"There is no fault {strange[0]!r}.", expected=expected, found=", ".join(answers))


def key_of(folder: Path) -> tuple[tuple[str, Patient], ...]:
    """Return (case, patient) of every case of a folder: the key."""
    return tuple((case_name(number), patient) for number, patient in enumerate(read_patients(folder), 1))
