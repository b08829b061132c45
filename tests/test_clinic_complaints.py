"""What owners say at the clinic: not the table of symptoms, and nothing from which to count faults."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from oddemo.audit.faults.registry import FAULTS
from oddemo.clinic.patients import PATIENTS


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def given_away_by(text: str) -> list[str]:
    """Registered words that a text holds or nearly repeats: three in a row, or half of a symptom's longer words."""
    said = words_of(text)
    found = []
    for fault in FAULTS:
        symptom = words_of(fault.symptom)
        longer = {word for word in symptom if len(word) > 3}
        rows = {tuple(symptom[start : start + 3]) for start in range(len(symptom) - 2)}
        if rows & set(zip(said, said[1:], said[2:], strict=False)) or 2 * len(longer & set(said)) >= len(longer):
            found.append(fault.symptom)
        found += [name for name in (fault.id, fault.id.replace("_", " "), fault.title) if name.lower() in text.lower()]
    return found


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_symptom_as_complaint_would_be_seen(fault):
    backwards = " ".join(reversed(words_of(fault.symptom)))
    for text in (fault.symptom, f"Since Monday: {fault.symptom[:-1].upper()}, they say.", backwards):
        assert fault.symptom in given_away_by(text)
    assert fault.id in given_away_by(f"Is it {fault.id}?")
    assert fault.title in given_away_by(f"I think of {fault.title}.")


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: "+".join(patient.answer))
def test_no_complaint_is_in_the_table_of_symptoms(patient):
    for complaint in patient.complaints:
        assert given_away_by(complaint) == []
        # Nor is a word of what is wrong in it, not even within another word.
        own = {word for one in patient.answer for word in one.split("_")}
        assert not [word for word in own if word.rstrip("s") in complaint.lower()]


def test_every_owner_has_several_complaints_and_neighbours_read_others():
    told = [complaint for patient in PATIENTS for complaint in patient.complaints]
    assert len(set(told)) == len(told)
    for patient in PATIENTS:
        assert {patient.complaint(seed) for seed in range(30)} == set(patient.complaints)
        assert patient.complaint(3) == patient.complaint(3)
        assert len(patient.complaints) > 1


def test_complaints_do_not_tell_how_many_faults_there_are():
    """Of what a reader could count, the sound one and the one with two faults have nothing that no other has."""
    single = [text for patient in PATIENTS if len(patient.planted) == 1 for text in patient.complaints]
    others = [text for patient in PATIENTS if len(patient.planted) != 1 for text in patient.complaints]
    counted: tuple[Callable[[str], int], ...] = (
        len,
        lambda text: len(words_of(text)),
        lambda text: len(re.findall(r"[.?](?: |$)", text)),
        lambda text: text.count(","),
    )
    for text in others:
        for count in counted:
            assert min(map(count, single)) <= count(text) <= max(map(count, single))
        assert set(re.findall(r"[^\w\s]", text)) <= {mark for one in single for mark in re.findall(r"[^\w\s]", one)}
    joined = r"\bAnd\b|\b(?:also|besides|both|moreover|secondly|two|too,)"
    assert not [text for text in (*single, *others) if re.search(joined, text)]
