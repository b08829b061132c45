"""The command line of the lane `odapi`: train, export, record, stages."""

from __future__ import annotations

import argparse
import gc
import json
import os
import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any, Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from oddemo_odapi import shims
from oddemo_odapi.coco import class_names, write_label_map, write_records
from oddemo_odapi.model import CONFIG, Detector, checkpoint_folder, read_config
from oddemo_odapi.pipeline import pipeline_text
from oddemo_odapi.stages import write_stages
from oddemo_probe import RefusedError
from oddemo_probe.pictures import read_labels, read_pictures
from oddemo_probe.trace_file import described, write_trace

INPUT_TYPES = ("image_tensor", "float_image_tensor", "encoded_image_string_tensor", "tf_example")
RECORDS, LABEL_MAP = "train.tfrecord", "label_map.pbtxt"
#: Steps that run between two looks at the clock.
BLOCK = 20
#: New objects between two searches for garbage; a graph is very many small ones that stay.
OBJECTS_BETWEEN_SEARCHES = 10_000
#: Checkpoints that stay, evenly spread over the training; an early one is a fault to teach.
KEPT = 5


def train(options: Any) -> None:
    """Train from scratch with the API's own loop; OUT then holds pipeline.config, checkpoints and label map."""
    import tensorflow as tf
    from object_detection import model_lib_v2

    out: Path = options.out
    if out.exists() and any(out.iterdir()):
        raise RefusedError(f"{out} is not empty.")
    names = class_names(options.truth)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=str(out.parent)) as folder:
        count = write_records(options.truth, options.images, Path(folder) / RECORDS)
        out.mkdir(exist_ok=True)
        (Path(folder) / RECORDS).replace(out / RECORDS)
    write_label_map(names, out / LABEL_MAP)
    text = pipeline_text(
        classes=len(names),
        size_px=options.size,
        steps=options.steps,
        batch=options.batch,
        label_map=LABEL_MAP,
        records=RECORDS,
        anchor_scale=options.anchor_scale,
    )
    (out / CONFIG).write_text(text, encoding="utf-8")
    print(f"training on {count} pictures, {len(names)} classes, {options.steps} steps", flush=True)
    tf.compat.v1.logging.set_verbosity("INFO")  # the API tells its steps and losses there
    tf.random.set_seed(options.seed)
    model_lib_v2.LOG_EVERY = BLOCK
    os.chdir(out)  # the configuration names its files from here, so that the folder can be moved
    model_lib_v2.train_loop(
        CONFIG,
        ".",
        train_steps=options.steps,
        checkpoint_every_n=max(BLOCK, options.steps // KEPT),
        checkpoint_max_to_keep=KEPT + 1,
        record_summaries=False,
        num_steps_per_iteration=min(BLOCK, options.steps),
    )
    print(f"written: {tf.train.latest_checkpoint('.')} in {out}")


def export(options: Any) -> None:
    """Run `exporter_main_v2.py`, or `export_tflite_graph_tf2.py`, as its users do."""
    if options.out.exists() and any(options.out.iterdir()):
        raise RefusedError(f"{options.out} is not empty.")
    read_config(options.folder)
    arguments = {
        "pipeline_config_path": options.config or options.folder / CONFIG,
        "trained_checkpoint_dir": options.checkpoint or checkpoint_folder(options.folder),
        "output_directory": options.out,
        "config_override": options.override,
    }
    if options.tflite:
        script = "object_detection.export_tflite_graph_tf2"
        arguments["max_detections"] = options.max_detections
    else:
        script = "object_detection.exporter_main_v2"
        arguments["input_type"] = options.input_type
    sys.argv = [script, *(f"--{name}={value}" for name, value in arguments.items())]
    try:
        runpy.run_module(script, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code:
            raise
    labels = options.folder / LABEL_MAP
    if labels.is_file():
        (options.out / "saved_model" / LABEL_MAP).write_bytes(labels.read_bytes())
    print(f"written: {options.out / 'saved_model'}")


def record(options: Any) -> None:
    """Run a checkpoint on pictures and write the trace of its stages."""
    if options.out.suffix != ".npz" or (options.out.exists() and not options.overwrite):
        raise RefusedError(f"{options.out} is taken, or does not end in .npz; --overwrite replaces it.")
    chosen = json.loads(options.names.read_text(encoding="utf-8")) if options.names else None
    pictures = read_pictures(options.images, options.limit, chosen)
    detector = Detector(options.folder)
    dense, detections = detector.record(pictures)
    write_trace(
        options.out,
        source=f"odapi:{options.folder}",
        pictures=pictures,
        show_images=True,
        dense=dense,
        detections=detections,
        labels=read_labels(options.folder),
        provenance={**described(), "checkpoint": Path(detector.checkpoint).name},
    )
    print(f"{options.out}: {len(pictures.names)} pictures, {Path(detector.checkpoint).name}")


def stages(options: Any) -> None:
    """Write the network by itself, and the settings of all that is around it."""
    size_hw = tuple(options.size) if options.size else None
    write_stages(options.folder, options.out, size_hw=size_hw, checkpoint=options.checkpoint)
    print(f"written: {options.out}")


def versions(options: Any) -> None:
    """Print what is in use, having imported the API's trainer and exporter."""
    from object_detection import exporter_lib_v2, model_lib_v2

    del options, exporter_lib_v2, model_lib_v2
    print(json.dumps(described()["versions"]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oddemo lanes run odapi", description=(__doc__ or "").split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    one = commands.add_parser("train", help="train a small SSD MobileNet V2 FPN from scratch")
    one.add_argument("--truth", type=Path, required=True, help="COCO file with the boxes")
    one.add_argument("--images", type=Path, required=True, help="folder that its file names start from")
    one.add_argument("--out", type=Path, required=True, help="folder to make")
    one.add_argument("--steps", type=int, default=300)
    one.add_argument("--size", type=int, default=192, help="height and width of the network's input, pixels")
    one.add_argument("--batch", type=int, default=8)
    one.add_argument("--anchor-scale", type=float, default=4.0, help="smaller for small objects (default: %(default)s)")
    one.add_argument("--seed", type=int, default=0, help="of initial weights and augmentation")
    one.set_defaults(run=train)
    one = commands.add_parser("export", help="export with exporter_main_v2, or export_tflite_graph_tf2")
    one.add_argument("folder", type=Path, help="folder with pipeline.config and the checkpoint")
    one.add_argument("--out", type=Path, required=True, help="folder to make; the export is in its saved_model")
    one.add_argument("--input-type", default="image_tensor", choices=INPUT_TYPES)
    one.add_argument("--tflite", action="store_true", help="the graph for TFLite, with export_tflite_graph_tf2")
    one.add_argument("--max-detections", type=int, default=10, help="with --tflite alone")
    one.add_argument("--config", type=Path, help="another pipeline.config")
    one.add_argument("--checkpoint", type=Path, help="another folder of checkpoints")
    one.add_argument("--override", default="", help="text that is merged into pipeline.config")
    one.set_defaults(run=export)
    one = commands.add_parser("record", help="run the checkpoint on pictures and write what is seen")
    one.add_argument("folder", type=Path, help="folder with pipeline.config and the checkpoint")
    one.add_argument("--images", type=Path, required=True, help="folder of pictures, searched with its subfolders")
    one.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    one.add_argument("--limit", type=int, help="use so many of the pictures, evenly spread")
    one.add_argument("--names", type=Path, help="JSON list of the pictures to take instead")
    one.add_argument("--overwrite", action="store_true", help="replace the file if it is there")
    one.set_defaults(run=record)
    one = commands.add_parser("stages", help="write the network by itself, from its input to its raw heads")
    one.add_argument("folder", type=Path, help="folder with pipeline.config and the checkpoint")
    one.add_argument("--out", type=Path, required=True, help="folder to make")
    one.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), help="of the network's input, pixels")
    one.add_argument("--checkpoint", help="name of a checkpoint in the folder; the newest if not given")
    one.set_defaults(run=stages)
    one = commands.add_parser("versions", help="print the versions in use, as JSON")
    one.set_defaults(run=versions)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    gc.set_threshold(OBJECTS_BETWEEN_SEARCHES)
    shims.install()
    try:
        options.run(options)
    except RefusedError as error:
        print(f"odapi: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
