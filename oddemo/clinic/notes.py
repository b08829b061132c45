"""What is written down in a clinic's folder, for those who work in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oddemo.clinic.patients import Patient

README, PICTURES, TRAINED = "README.md", "pictures", "trained"

_FOLDER = """# The clinic

{cases} deployments of two trained detectors. One of them is sound, one has two faults, the others have one each, and no
two have the same.

1. Read the note in a case's folder. Owners tell what they noticed, which may be half of it, and then they guess. It
   says where to begin, not what is wrong.
2. Look for yourself first. What goes in, what comes out? Compare with the trained detector, picture by picture. Read
   the script, if there is one, as you would read a colleague's. `oddemo inspect` shows what an export promises.
3. Write down, on paper, the stage at which it begins and the cause you suspect.
4. Then run the audit. The command stands in the note; run it from this folder.
5. Ask whether you were right: `oddemo clinic check . {first} ANSWER`. An answer is a fault id, such as those that
   `oddemo audit` names, or `faithful`; give two where you found two. The stage is not asked for: it is on your paper,
   and the audit's report names it.

`{pictures}/` holds the pictures and their true boxes, `{trained}/` the detectors as they were trained.
"""

_CASE = """# Case {number}

A detector of the {world} world, deployed {where}.

**Its owner reports:** {report}

**What is here:** {files}

**By hand:** which is the first stage at which it does something else than the trained detector? Write it down.

**Then:** run from the folder above

    oddemo audit --reference tfvision:{trained}/{world} --candidate {candidate} \\
      --images {pictures}/{world} --truth {pictures}/{world}.json

and `oddemo clinic check . {case} ANSWER`: fault ids, or `faithful`.
"""


def case_name(number: int) -> str:
    """Return the name of a case's folder."""
    return f"case_{number:02}"


def of_folder(cases: int) -> str:
    """Return the note for the whole folder."""
    return _FOLDER.format(cases=cases, first=case_name(1), pictures=PICTURES, trained=TRAINED)


def of_case(number: int, patient: Patient, source: str, complaint: str) -> str:
    """Return the note of a case.

    Args:
        number: From 1.
        patient: Who it is.
        source: Its source, the place below the case's folder.
        complaint: What its owner says.
    """
    kind, _, place = source.partition(":")
    files = "a SavedModel, `saved_model`."
    if kind == "python":
        model = "a TFLite file, `model.tflite`" if patient.parts.tflite else "a SavedModel, `saved_model`"
        files = f"{model}, and the script that serves it, `serve.py`."
    return _CASE.format(
        number=number,
        case=case_name(number),
        world=patient.world,
        where=patient.where,
        report=complaint,
        files=files,
        trained=TRAINED,
        pictures=PICTURES,
        candidate=f"{kind}:{case_name(number)}/{place}",
    )
