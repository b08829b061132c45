"""Making the clinic's folder: pictures, the trained detectors, and ten cases, each with a note."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from oddemo.audit.plant.build import build, swap_names, with_script
from oddemo.audit.plant.record import Parts
from oddemo.audit.sources.labels import LABEL_MAP
from oddemo.audit.story import detector_folder
from oddemo.clinic import notes
from oddemo.clinic.disguise import SCRIPT, disguise
from oddemo.clinic.folder import write_seed
from oddemo.clinic.patients import PATIENTS, Patient, called_in
from oddemo.data.coco import write_coco
from oddemo.data.records import Dataset
from oddemo.data.sample import sample_dataset
from oddemo.export.saved_model import export_saved_model
from oddemo.export.tflite import label_map_beside
from oddemo.files import atomic_folder, refuse_to_overwrite, write_text
from oddemo.progress import Tell, silent

#: Pictures of each world.
PICTURES = 16
_SAVED_MODEL, _TFLITE = "saved_model", "model.tflite"
_ROOM = Path(__file__).parent


def make_clinic(folder: Path, *, seed: int = 0, overwrite: bool = False, tell: Tell | None = None) -> Path:
    """Make a folder of ten cases; it is there when all of it is made, or not at all.

    Args:
        folder: The folder to make.
        seed: Another seed, another order of the cases, and other words of their owners.
        overwrite: Replace the folder if it is there.
        tell: Called with a few words whenever something new is done.

    Raises:
        OddemoError: If the folder is taken, or the built-in pictures are not at hand.
    """
    say = tell or silent
    folder = Path(folder)
    refuse_to_overwrite(folder, overwrite=overwrite)
    worlds = sorted({patient.world for patient in PATIENTS})
    with atomic_folder(folder) as made:
        for world in worlds:
            say(f"pictures of the {world} world")
            _pictures(world, made / notes.PICTURES)
            shutil.copytree(detector_folder(world), made / notes.TRAINED / world)
        sound = {world: _sound(world, made / ".sound" / world, say) for world in worlds}
        patients = called_in(seed)
        for number, patient in enumerate(patients, 1):
            say(f"case {number} of {len(patients)}")
            case = made / notes.case_name(number)
            case.mkdir()
            source = _admit(patient, case, sound[patient.world])
            write_text(case / notes.README, notes.of_case(number, patient, source, patient.complaint(seed)))
        shutil.rmtree(made / ".sound")
        write_text(made / notes.README, notes.of_folder(len(patients)))
        write_seed(made, seed)
    return folder


def _pictures(world: str, place: Path) -> None:
    """Copy the first pictures of the built-in sample into one folder, their true boxes beside it."""
    sample = sample_dataset(world, "val")
    records = []
    (place / world).mkdir(parents=True)
    for record in sample.records[:PICTURES]:
        name = Path(record.file_name).name
        shutil.copyfile(sample.image_path(record), place / world / name)
        records.append(replace(record, file_name=name, attributes={}))
    write_coco(Dataset(world, place / world, sample.class_names, tuple(records)), place / f"{world}.json")


def _sound(world: str, place: Path, say: Tell) -> Path:
    say(f"exporting the detector of the {world} world")
    # As `build` exports the broken ones: a case that held more than another would give itself away.
    return export_saved_model(detector_folder(world), place / _SAVED_MODEL, layer_functions=False)


def _admit(patient: Patient, case: Path, sound: Path) -> str:
    """Make a patient's deployment in the folder of its case; return its source, places below that folder."""
    parts, detector = patient.parts, detector_folder(patient.world)
    if parts.tflite:
        build(parts, detector, case)
        label_map_beside(case / _TFLITE).replace(case / LABEL_MAP)
        shutil.copyfile(_ROOM / "tflite_serving.py", case / "planted.py")
        disguise(case / "planted.py")
        return f"python:{SCRIPT}:detect"
    export = case / _SAVED_MODEL
    if parts == Parts(client=parts.client, names_swapped=parts.names_swapped):
        # The graph is right: what is wrong lies beside it.
        shutil.copytree(sound, export)
        if parts.names_swapped:
            swap_names(export / LABEL_MAP)
    else:
        build(replace(parts, client=None), detector, case)
    if parts.client is None:
        return f"savedmodel:{_SAVED_MODEL}"
    script = with_script(parts.client, export).removeprefix("python:").rpartition(":")[0]
    disguise(Path(script))
    return f"python:{SCRIPT}:detect"
