"""Artefacts with random damage: a card or an OddemoError, quickly, and nothing else."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from card_artefacts import QUICK, made
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oddemo.errors import OddemoError
from oddemo.export.cards import read_card


def spoiled(data: bytes, seed: int) -> bytes:
    """Cut a file off, or change some of its bytes."""
    draw = random.Random(seed)
    if not data or draw.random() < 0.3:
        return data[: draw.randrange(len(data) + 1)]
    changed = bytearray(data)
    for _ in range(draw.choice((1, 2, 5, 50))):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    if draw.random() < 0.2:
        spot = draw.randrange(len(changed))
        changed[spot : spot + 8] = b"\xff" * 8
    return bytes(changed)


@pytest.mark.parametrize(
    "name",
    [
        "combined/saved_model.pb",
        "combined/variables/variables.index",
        "trained/ckpt-4.data-00000-of-00001",
        "stretched.tflite",
        "post.tflite",
        "int8.tflite",
        "keras3_lambda.keras",
    ],
)
@given(seed=st.integers(0, 10**9))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_artefacts_raise_nothing_but_oddemo_error(
    name: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_damaged(name, seed, tmp_path_factory.mktemp("damaged"))


@pytest.mark.parametrize("seed", range(8))
def test_damaged_hdf5_files_raise_nothing_but_oddemo_error(seed: int, tmp_path: Path) -> None:
    """Fewer of these: each starts a process, since damaged bytes can make the HDF5 library hang or crash."""
    check_damaged("keras2.h5", seed, tmp_path)


def check_damaged(name: str, seed: int, folder: Path) -> None:
    parts = Path(name).parts
    source, place = made() / parts[0], folder / parts[0]
    if source.is_dir():
        shutil.copytree(source, place)
    target = folder / name
    target.write_bytes(spoiled((made() / name).read_bytes(), seed))
    start, told = time.process_time(), str(place)
    try:
        card = read_card(place)
        json.dumps(card.to_json(), allow_nan=False)
    except OddemoError as error:
        told = str(error)
    assert str(place) in told
    assert time.process_time() - start < QUICK
    shutil.rmtree(folder)


JUNK = (None, True, -1, 1e308, "x", "\x00", [], [[]], {}, {"class_name": []}, {"config": 3}, [None, "a", 1], 10**30)


def with_junk(value: Any, draw: random.Random) -> Any:
    """Replace something in a configuration by a value of another type."""
    if draw.random() < 0.04:
        return draw.choice(JUNK)
    if isinstance(value, dict):
        return {key: with_junk(item, draw) for key, item in value.items()}
    return [with_junk(item, draw) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["keras2.keras", "keras3.keras", "keras3_lambda.keras"])
@given(seed=st.integers(0, 10**9))
@settings(deadline=None)
def test_configurations_of_wrong_types_raise_nothing_but_oddemo_error(name: str, seed: int) -> None:
    from oddemo.export.cards import keras_config

    with zipfile.ZipFile(made() / name) as file:
        config = with_junk(json.loads(file.read("config.json")), random.Random(seed))
    with contextlib.suppress(OddemoError):
        keras_config.config_facts(config)
        keras_config.dangers(config)
        json.dumps([signature.to_json() for signature in keras_config.signature(config)])


@given(seed=st.integers(0, 10**9))
@settings(deadline=None)
def test_detector_configurations_of_wrong_types_raise_nothing_but_oddemo_error(
    inspection_detector: Path, seed: int
) -> None:
    from oddemo.export.cards.detector_folder import params_facts, read_params
    from oddemo.export.cards.odapi import config_facts
    from oddemo.export.cards.text_proto import parse_text_proto

    draw = random.Random(seed)
    with contextlib.suppress(OddemoError):
        params_facts(with_junk(read_params(inspection_detector / "params.yaml"), draw))
        model = (
            "num_classes: 2 image_resizer { fixed_shape_resizer { height: 3 width: 2 } } post_processing { a { b: 1 } }"
        )
        config_facts(with_junk(parse_text_proto(model), draw), "model")
