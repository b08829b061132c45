"""The generated worlds: the same spec gives the same pictures, and every knob does what it says."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddemo.data.scenes import CLASS_NAMES, LIGHTING_NAMES, Scene, WorldSpec, render_scene
from oddemo.errors import OddemoError

WORLDS = sorted(CLASS_NAMES)
SMALL = (96, 128)


def scenes(count: int, **knobs: object) -> list[Scene]:
    spec = WorldSpec(**{"image_size_hw_px": SMALL, **knobs})  # type: ignore[arg-type]
    return [render_scene(spec, index) for index in range(count)]


def boxes_of(pictures: list[Scene]) -> np.ndarray:
    return np.concatenate([picture.boxes_yxyx_px for picture in pictures])


def mask_mean(picture: Scene, number: int) -> np.ndarray:
    return picture.image_rgb[picture.masks[number]].mean(axis=0) / 255


# --- one picture ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_same_spec_and_index_give_the_same_bytes(world: str) -> None:
    spec = WorldSpec(world=world, image_size_hw_px=SMALL)
    first, again = render_scene(spec, 5), render_scene(spec, 5)
    assert first.image_rgb.tobytes() == again.image_rgb.tobytes()
    assert first.boxes_yxyx_px.tolist() == again.boxes_yxyx_px.tolist()
    assert dict(first.attributes) == dict(again.attributes)
    assert first.image_rgb.tobytes() != render_scene(spec, 6).image_rgb.tobytes()
    assert first.image_rgb.tobytes() != render_scene(spec.turned(seed=1), 5).image_rgb.tobytes()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    world=st.sampled_from(WORLDS),
    size=st.tuples(st.integers(64, 150), st.integers(64, 200)),
    seed=st.integers(0, 2**63 - 1),
    index=st.integers(0, 3_000_000),
    centre_bias=st.floats(0, 1),
    lengths=st.tuples(st.floats(0.05, 0.9), st.floats(0.05, 0.9)).map(sorted),
    objects=st.tuples(st.integers(1, 6), st.integers(1, 6)).map(sorted),
    clutter=st.floats(0, 1),
    info_strip=st.booleans(),
)
def test_boxes_lie_inside_and_touch_their_masks(
    *,
    world: str,
    size: tuple[int, int],
    seed: int,
    index: int,
    centre_bias: float,
    lengths: list[float],
    objects: list[int],
    clutter: float,
    info_strip: bool,
) -> None:
    spec = WorldSpec(
        world=world,
        image_size_hw_px=size,
        seed=seed,
        centre_bias=centre_bias,
        object_size_range=(lengths[0], lengths[1]),
        objects_per_image=(objects[0], objects[1]),
        clutter=clutter,
        info_strip=info_strip,
    )
    picture = render_scene(spec, index)
    assert picture.image_rgb.shape == (*size, 3)
    assert picture.image_rgb.dtype == np.uint8
    assert len(picture.boxes_yxyx_px) == len(picture.class_ids) == len(picture.masks) <= objects[1]
    for box, class_id, mask in zip(picture.boxes_yxyx_px, picture.class_ids, picture.masks, strict=True):
        places = np.argwhere(mask)
        assert box.tolist() == [*places.min(axis=0), *(places.max(axis=0) + 1)]
        assert 0 <= box[0] < box[2] <= size[0]
        assert 0 <= box[1] < box[3] <= size[1]
        assert 1 <= class_id <= len(CLASS_NAMES[world])
    # What one object hides is not another one's.
    if world == "wildlife" and len(picture.masks):
        assert picture.masks.sum(axis=0).max() <= 1
    assert picture.attributes["lighting"] in LIGHTING_NAMES[world]
    json.dumps(dict(picture.attributes), allow_nan=False)


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"world": "moon"}, "inspection or wildlife"),
        ({"class_ratio": {"deer": 1}}, "deer"),
        ({"class_ratio": {"pit": -1}}, "at least 0"),
        ({"class_ratio": {"pit": 0}}, "at least 0"),
        ({"lighting_mix": {"night": 1}}, "ring, side, spot"),
        ({"image_size_hw_px": (10, 320)}, "64"),
        ({"object_size_range": (0.5, 0.2)}, "(smallest, largest)"),
        ({"centre_bias": float("nan")}, "0 to 1"),
        ({"objects_per_image": (0, 2)}, "1 to 12"),
        ({"jpeg_quality": 0}, "1 to 100"),
        ({"image_format": "gif"}, "jpg or png"),
        ({"seed": -1}, "seed"),
        ({"images": 0}, "images"),
    ],
)
def test_impossible_knobs_are_refused(knobs: dict[str, object], words: str) -> None:
    with pytest.raises(OddemoError) as caught:
        WorldSpec(**knobs)  # type: ignore[arg-type]
    assert words in str(caught.value)


# --- the knobs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_class_ratio_moves_the_counts(world: str) -> None:
    names = CLASS_NAMES[world]
    even = np.concatenate([picture.class_ids for picture in scenes(50, world=world)])
    skewed_pictures = scenes(30, world=world, class_ratio={names[1]: 8, names[3]: 1})
    skewed = np.concatenate([picture.class_ids for picture in skewed_pictures])
    even_share = np.bincount(even, minlength=6)[1:] / len(even)
    assert even_share.min() > 0.07
    assert even_share.max() < 0.36
    skewed_share = np.bincount(skewed, minlength=6)[1:] / len(skewed)
    assert set(skewed) <= {2, 4}
    assert skewed_share[1] == pytest.approx(8 / 9, abs=0.1)


@pytest.mark.parametrize("world", WORLDS)
def test_centre_bias_draws_objects_to_the_middle(world: str) -> None:
    far = []
    for bias in (0.0, 0.5, 1.0):
        boxes = boxes_of(scenes(25, world=world, centre_bias=bias, objects_per_image=(1, 1), info_strip=False))
        middle = (boxes[:, 1] + boxes[:, 3]) / 2 / SMALL[1]
        far.append(float(np.abs(middle - 0.5).mean()))
    assert far[0] > 0.12
    assert far[0] > 1.5 * far[1] > 3 * far[2]
    assert far[2] < 0.02


@pytest.mark.parametrize("world", WORLDS)
def test_lighting_mix_is_followed(world: str) -> None:
    first, second, third = LIGHTING_NAMES[world]
    lights = [picture.attributes["lighting"] for picture in scenes(50, world=world, lighting_mix={first: 3, third: 1})]
    assert second not in lights
    assert lights.count(first) / len(lights) == pytest.approx(0.75, abs=0.15)


def test_night_is_grey_and_day_is_not() -> None:
    night = scenes(3, world="wildlife", lighting_mix={"night": 1})
    assert all(np.ptp(picture.image_rgb[:80].astype(int), axis=2).max() == 0 for picture in night)
    day = scenes(3, world="wildlife", lighting_mix={"day": 1})
    assert all(np.ptp(picture.image_rgb[:80].astype(int), axis=2).mean() > 8 for picture in day)


@pytest.mark.parametrize("world", WORLDS)
def test_sizes_follow_range_and_bias(world: str) -> None:
    lengths = []
    for bias in (-1.0, 0.0, 1.0):
        boxes = boxes_of(scenes(16, world=world, object_size_range=(0.15, 0.4), size_bias=bias, clutter=0.0))
        longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) / SMALL[1]
        assert longer.max() < 0.4 + 0.06
        lengths.append(float(np.median(longer)))
    assert lengths[0] == pytest.approx(0.15, abs=0.03)
    assert lengths[0] < lengths[1] < lengths[2]


def test_objects_per_image_is_followed() -> None:
    counts = {len(p.class_ids) for p in scenes(40, objects_per_image=(2, 3), object_size_range=(0.1, 0.15))}
    assert counts == {2, 3}


@pytest.mark.parametrize("world", WORLDS)
def test_noise_and_focus_change_pixels_and_nothing_else(world: str) -> None:
    def sharpness(picture: Scene) -> float:
        return float(np.abs(cv2.Laplacian(picture.image_rgb.astype(np.float32), cv2.CV_32F)).mean())

    plain, noisy, soft = (
        scenes(4, world=world, info_strip=False, noise=noise, defocus_px=defocus)
        for noise, defocus in ((0.0, 0.5), (0.1, 0.5), (0.0, 4.0))
    )
    for before, loud, blurred in zip(plain, noisy, soft, strict=True):
        assert sharpness(loud) > 1.5 * sharpness(before) > 2 * sharpness(blurred)
        for other in (loud, blurred):
            assert before.boxes_yxyx_px.tolist() == other.boxes_yxyx_px.tolist()
            assert np.array_equal(before.masks, other.masks)


def test_clutter_covers_animals_and_leaves_their_boxes() -> None:
    quiet = {"world": "wildlife", "noise": 0.0, "lighting_mix": {"day": 1}}
    bare, mild, lush = (scenes(8, **quiet, clutter=amount) for amount in (0.0, 0.3, 1.0))
    changed = {0.3: 0.0, 1.0: 0.0}
    for before, *after in zip(bare, mild, lush, strict=True):
        for amount, picture in zip(changed, after, strict=True):
            assert picture.boxes_yxyx_px.tolist() == before.boxes_yxyx_px.tolist()
            difference = np.abs(picture.image_rgb.astype(int) - before.image_rgb.astype(int)).mean(axis=2)
            changed[amount] += float((difference[before.masks.any(axis=0)] > 40).mean())
    assert changed[1.0] > 1.5 * changed[0.3] > 0


# --- colour -----------------------------------------------------------------------------------------------------------


def test_colour_tells_inspection_classes_apart() -> None:
    redness: dict[str, list[float]] = {name: [] for name in CLASS_NAMES["inspection"]}
    for picture in scenes(40, world="inspection", image_size_hw_px=(160, 200)):
        for number, class_id in enumerate(picture.class_ids):
            red, _, blue = mask_mean(picture, number)
            redness[CLASS_NAMES["inspection"][class_id - 1]].append(red - blue)
    means = {name: float(np.mean(values)) for name, values in redness.items()}
    assert means["inclusion"] > 0.12
    assert means["patch"] < -0.10
    assert all(abs(means[name]) < 0.06 for name in ("scratch", "pit", "crack"))
    # With red and blue swapped, every patch is on the side of rust, and the other way round.
    between = (means["inclusion"] + means["patch"]) / 2
    assert all(-value > between for value in redness["patch"])
    assert all(-value < between for value in redness["inclusion"])


def test_colour_tells_animals_apart_by_day() -> None:
    redness: dict[str, list[float]] = {name: [] for name in CLASS_NAMES["wildlife"]}
    for picture in scenes(30, world="wildlife", image_size_hw_px=(160, 200), lighting_mix={"day": 1}, clutter=0.0):
        for number, class_id in enumerate(picture.class_ids):
            red, _, blue = mask_mean(picture, number)
            redness[CLASS_NAMES["wildlife"][class_id - 1]].append(red - blue)
    means = {name: float(np.mean(values)) for name, values in redness.items()}
    assert means["fox"] > means["deer"] > means["hare"] > means["boar"]
    assert means["fox"] > 0.25
    assert means["badger"] < 0.12


# --- writing ----------------------------------------------------------------------------------------------------------
