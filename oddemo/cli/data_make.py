"""`oddemo data make`: draw one of the two worlds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from oddemo.errors import OddemoError

EPILOG = "Example: oddemo data make wildlife --out runs/night --images 600 --lighting-mix night=3,dusk=1 --workers 2"
Number = TypeVar("Number", int, float)


def make(
    world: Annotated[str, typer.Argument(help="inspection or wildlife.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="The folder to make.")],
    images: Annotated[int, typer.Option(help="Pictures in all, about 4 : 1 : 1 over train, val, test.", min=1)] = 600,
    splits: Annotated[
        str | None, typer.Option(help="Pictures of each split instead, such as train=600,val=150.")
    ] = None,
    size: Annotated[str, typer.Option(help="Height x width in pixels.")] = "240x320",
    class_ratio: Annotated[str, typer.Option(help="Weights of classes, such as pit=3,crack=1; others get 0.")] = "",
    lighting_mix: Annotated[
        str, typer.Option(help="Weights of lights: ring, side, spot in inspection; day, dusk, night in wildlife.")
    ] = "",
    centre_bias: Annotated[float, typer.Option(help="0: objects anywhere; 1: in the middle.")] = 0.0,
    object_size: Annotated[str, typer.Option(help="Range of an object's length over the picture's.")] = "0.14,0.45",
    size_bias: Annotated[float, typer.Option(help="-1: smallest objects only; 1: largest only.")] = 0.0,
    objects: Annotated[str, typer.Option(help="Fewest and most objects in a picture.")] = "1,4",
    clutter: Annotated[float, typer.Option(help="0 to 1: harmless marks, or plants in front.")] = 0.3,
    defocus: Annotated[float, typer.Option(help="Blur of the lens in pixels, at a width of 320.")] = 0.6,
    noise: Annotated[float, typer.Option(help="Sensor noise, as a fraction of full scale.")] = 0.012,
    jpeg_quality: Annotated[int, typer.Option(help="1 to 100.")] = 92,
    image_format: Annotated[str, typer.Option("--format", help="jpg or png.")] = "jpg",
    info_strip: Annotated[bool, typer.Option(help="Whether a camera trap prints its line of text.")] = True,
    seed: Annotated[int, typer.Option(help="Another seed, other pictures.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Processes that draw; the pictures do not depend on it.", min=1)] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder if it is there.")] = False,
) -> None:
    """Make a world of generated pictures: metal defects (inspection) or animals before a camera trap (wildlife).

    Makes OUT/{train,val,test}/images, OUT/{train,val,test}.json (COCO), OUT/label_map.pbtxt and OUT/world.json. The
    same options give the same pictures.
    """
    from oddemo.data.counts import count_dataset
    from oddemo.data.scenes import WorldSpec, make_world

    spec = WorldSpec(
        world=world,
        images=images,
        image_size_hw_px=_pair("--size", size, int, "x"),
        class_ratio=_named("--class-ratio", class_ratio, float),
        lighting_mix=_named("--lighting-mix", lighting_mix, float),
        centre_bias=centre_bias,
        object_size_range=_pair("--object-size", object_size, float),
        size_bias=size_bias,
        objects_per_image=_pair("--objects", objects, int),
        clutter=clutter,
        defocus_px=defocus,
        noise=noise,
        jpeg_quality=jpeg_quality,
        image_format=image_format,
        info_strip=info_strip,
        seed=seed,
    )
    wanted = _named("--splits", splits, int) if splits is not None else None
    made = make_world(spec, out, splits=wanted, workers=workers, overwrite=overwrite)
    for split in dict.fromkeys(str(record.attributes["split"]) for record in made.records):
        chosen = made.subset(record.image_id for record in made.records if record.attributes["split"] == split)
        counts = count_dataset(chosen)
        of_class = ", ".join(f"{name} {number}" for name, number in counts.boxes_of_class.items())
        typer.echo(f"{split}: {counts.images} pictures, {counts.boxes} boxes ({of_class})")
    typer.echo(f"written: {out}")


def _named(option: str, text: str, kind: Callable[[str], Number]) -> dict[str, Number]:
    """Read `name=number,name=number`."""
    found: dict[str, Number] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        try:
            number = kind(value)
        except ValueError:
            raise _unreadable(option, "name=number,name=number", text) from None
        if not name or name in found:
            raise _unreadable(option, "each name once", text)
        found[name] = number
    return found


def _pair(option: str, text: str, kind: Callable[[str], Number], between: str = ",") -> tuple[Number, Number]:
    """Read two numbers."""
    try:
        first, second = (kind(part) for part in text.split(between))
    except ValueError:
        raise _unreadable(option, f"two numbers with {between!r} between", text) from None
    return first, second


def _unreadable(option: str, expected: str, found: str) -> OddemoError:
    return OddemoError(f"{option} cannot be read.", expected=expected, found=found)
