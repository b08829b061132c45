"""`oddemo export`: a detector folder becomes a SavedModel or a TFLite file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

EPILOG = (
    "Example: oddemo export data/detectors/inspection --out runs/export --input-type image_bytes "
    "--set task.model.detection_generator.nms_iou_threshold=0.6"
)
FORMATS = ("saved_model", "tflite")


def export(
    detector: Annotated[Path, typer.Argument(help="Detector folder: params.yaml, checkpoint, label_map.pbtxt.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder to make, or the .tflite file.")],
    target: Annotated[str, typer.Option("--format", help="saved_model or tflite (float32).")] = "saved_model",
    input_type: Annotated[
        str, typer.Option(help="saved_model only: image_tensor (uint8), image_bytes (files) or tf_example.")
    ] = "image_tensor",
    batch_size: Annotated[
        int | None, typer.Option(help="saved_model only: pictures in a call; any number if not given.", min=1)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change an entry of the configuration, as in the example; may be repeated."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Export a detector through TF-Vision's own exporter, with its label map beside it.

    Boxes come out in pixels of the network input; `image_info` says how to get back to the picture.
    """
    from oddemo.errors import OddemoError
    from oddemo.export.saved_model import export_saved_model
    from oddemo.export.tflite import export_tflite

    if target not in FORMATS:
        raise OddemoError(f"There is no format {target!r}.", expected=" or ".join(FORMATS))
    overrides = _overrides(settings or [])
    if target == "tflite":
        written = export_tflite(detector, out, overrides=overrides, overwrite=overwrite)
    else:
        written = export_saved_model(
            detector, out, input_type=input_type, batch_size=batch_size, overrides=overrides, overwrite=overwrite
        )
    files = [written] if written.is_file() else [path for path in written.rglob("*") if path.is_file()]
    typer.echo(f"written: {written} ({sum(path.stat().st_size for path in files) / 1e6:.1f} MB)")


def _overrides(settings: list[str]) -> dict[str, Any]:
    import yaml

    from oddemo.errors import OddemoError

    found: dict[str, Any] = {}
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator or not name:
            raise OddemoError("--set cannot be read.", expected="name=value", found=setting)
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise OddemoError(
                "--set cannot be read.", expected="name=value, the value in YAML", found=setting
            ) from None
    return found
