"""The command line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import oddemo_probe
from oddemo_probe import RefusedError
from oddemo_probe.outputs import dense_of, found_in
from oddemo_probe.pictures import read_labels, read_pictures
from oddemo_probe.signature import TAP, Signature, refuse_other_folders
from oddemo_probe.tflite import file_sha256, network_inputs, run_tflite
from oddemo_probe.trace_file import described, weights_sha256, write_trace


def record_saved_model(folder: Path, images: Path, out: Path, *, signature: str, limit: int | None) -> str:
    """Run a SavedModel on pictures and write the trace; return a line that says what was recorded."""
    refuse_other_folders(folder)
    labels = read_labels(folder)
    pictures = read_pictures(images, limit)
    runs = Signature(folder, signature)
    arrays = runs.run(pictures)
    outputs = {key: array for key, array in arrays.items() if not key.startswith(TAP)}
    detections = [
        found_in({key: array[index] for key, array in outputs.items()}, image.shape[:2])
        for index, image in enumerate(pictures.images)
    ]
    dense = dense_of(arrays)
    write_trace(
        out,
        source=f"savedmodel:{folder}",
        pictures=pictures,
        show_images=not runs.takes_strings,  # a model that decodes by itself does not show how
        dense=dense,
        detections=detections,
        labels=labels,
        provenance={**described(runs.notes), "weights_sha256": weights_sha256(folder)},
    )
    shown = [] if runs.takes_strings else ["image"]
    stages = ", ".join([*shown, *dense, "detections", *(["labels"] if labels else [])])
    return f"{out}: {len(pictures.names)} pictures, stages {stages}, {out.stat().st_size / 1e6:.1f} MB"


def record_tflite(
    file: Path, images: Path, out: Path, *, pixels: Path, chosen: list[str] | None, delegates: bool
) -> str:
    """Run a TFLite file on network inputs that were recorded, and write the trace; return a line about it."""
    pictures = read_pictures(images, chosen=chosen)
    inputs = network_inputs(pixels, pictures)
    detections = run_tflite(file, inputs, pictures, delegates=delegates)
    labels = read_labels(file.parent)
    write_trace(
        out,
        source=f"tflite:{file}",
        pictures=pictures,
        show_images=False,
        dense={"pixels": {"pixels": inputs}},
        detections=detections,
        labels=labels,
        provenance={**described([] if delegates else ["without delegates"]), "file_sha256": file_sha256(file)},
    )
    return f"{out}: {len(pictures.names)} pictures, stages pixels, detections, {out.stat().st_size / 1e6:.1f} MB"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(oddemo_probe.__doc__ or "").split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    record = commands.add_parser("record-savedmodel", help="run a SavedModel on pictures and write what is seen")
    record.add_argument("folder", type=Path, help="folder with saved_model.pb")
    record.add_argument("--signature", default="serving_default", help="which signature (default: %(default)s)")
    lite = commands.add_parser("record-tflite", help="run a TFLite file on recorded network inputs")
    lite.add_argument("file", type=Path, help="the .tflite file")
    lite.add_argument(
        "--pixels", type=Path, required=True, help="trace of the trained detector (oddemo record tfvision:DIR)"
    )
    lite.add_argument("--picture", action="append", help="one of the pictures, below --images; all if not given")
    lite.add_argument(
        "--without-delegates", action="store_true", help="with TFLite's own kernels alone: is a delegate to blame?"
    )
    record.add_argument("--limit", type=int, help="use so many of the pictures, evenly spread")
    for one in (record, lite):
        one.add_argument("--images", type=Path, required=True, help="folder of pictures, searched with its subfolders")
        one.add_argument("--out", type=Path, required=True, help="the .npz file to write")
        one.add_argument("--overwrite", action="store_true", help="replace the file if it is there")
    commands.add_parser("versions", help="print the versions in use, as JSON")
    options = parser.parse_args(arguments)
    if options.command == "versions":
        print(json.dumps(described()["versions"]))
        return 0
    try:
        if options.out.suffix != ".npz":
            raise RefusedError(f"{options.out} is not the name of a trace; it ends in .npz.")
        if options.out.exists() and not options.overwrite:
            raise RefusedError(f"{options.out} exists already; --overwrite replaces it.")
        if getattr(options, "limit", None) is not None and options.limit < 1:
            raise RefusedError("--limit is at least 1.")
        place = (options.images, options.out)
        if options.command == "record-tflite":
            delegates = not options.without_delegates
            said = record_tflite(
                options.file, *place, pixels=options.pixels, chosen=options.picture, delegates=delegates
            )
        else:
            said = record_saved_model(options.folder, *place, signature=options.signature, limit=options.limit)
    except RefusedError as error:
        print(f"probe: {error}", file=sys.stderr)
        return 2
    print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
