"""Makes small real artefacts with TensorFlow, and what TensorFlow itself says about them; run as a child process.

Usage: python make_card_artefacts.py FOLDER
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_USE_LEGACY_KERAS="1", CUDA_VISIBLE_DEVICES="-1")

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from card_models import Dangerous, Detector, small_model
from official.modeling.optimization import ema_optimizer
from tensorflow.core.framework import op_def_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.client.pywrap_tf_session import TF_GetAllOpList, TF_GetBuffer

ORACLE: dict[str, dict] = {"saved_models": {}, "bundles": {}, "tflite": {}, "keras": {}, "registry": {}}


def save(module: tf.Module, function: object, folder: Path) -> None:
    tf.saved_model.save(module, str(folder), signatures=function)
    proto = saved_model_pb2.SavedModel()
    proto.ParseFromString((folder / "saved_model.pb").read_bytes())
    graph = proto.meta_graphs[0]
    ops = [node.op for node in graph.graph_def.node]
    ops += [node.op for function in graph.graph_def.library.function for node in function.node_def]
    signature = graph.signature_def["serving_default"]
    ORACLE["saved_models"][folder.name] = {
        "ops": {op: ops.count(op) for op in sorted(set(ops))},
        "functions": sorted(function.signature.name for function in graph.graph_def.library.function),
        "inputs": {key: spec_of(info) for key, info in signature.inputs.items()},
        "outputs": {key: spec_of(info) for key, info in signature.outputs.items()},
        "tensorflow_version": graph.meta_info_def.tensorflow_version,
        "producer": graph.graph_def.versions.producer,
    }
    if (folder / "variables" / "variables.index").exists():
        bundle(folder / "variables" / "variables", folder.name)


def spec_of(info: object) -> list:
    shape = None if info.tensor_shape.unknown_rank else [d.size if d.size >= 0 else None for d in info.tensor_shape.dim]
    return [tf.as_dtype(info.dtype).name, shape]


def digest(array: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=12).hexdigest()


def bundle(prefix: Path, name: str) -> None:
    reader = tf.train.load_checkpoint(str(prefix))
    ORACLE["bundles"][name] = {
        key: [str(np.asarray(reader.get_tensor(key)).dtype), shape, digest(reader.get_tensor(key))]
        for key, shape in tf.train.list_variables(str(prefix))
        if np.asarray(reader.get_tensor(key)).dtype.kind in "fiub"
    }


def train(model: object, optimizer: object, steps: int) -> None:
    draw = np.random.default_rng(3)
    model.compile(optimizer, "mse")
    images, target = draw.uniform(0, 255, (4, 32, 40, 3)), draw.normal(size=(4, 28, 36, 2))
    for _ in range(steps):
        model.train_on_batch(images, target)


def checkpoints(folder: Path) -> None:
    """Raw and averaged weights, another step, another seed, a restore in part."""
    model = small_model(tf_keras)
    optimizer = ema_optimizer.ExponentialMovingAverage(
        tf_keras.optimizers.legacy.SGD(0.01), average_decay=0.8, dynamic_decay=False
    )
    optimizer.shadow_copy(model)
    train(model, optimizer, 4)
    write = tf.train.Checkpoint(model=model, optimizer=optimizer).write
    write(str(folder / "trained" / "ckpt-4"))
    bundle(folder / "trained" / "ckpt-4", "trained")
    (folder / "trained" / "checkpoint").write_text('model_checkpoint_path: "/where/it/was/trained/ckpt-4"\n')
    raw = model.get_weights()
    weights_only(raw, folder / "raw")
    save_module(model, folder / "raw_export")
    optimizer.assign_average_vars(model.trainable_variables)
    weights_only(model.get_weights(), folder / "averaged")
    model.set_weights(raw)
    train(model, "sgd", 1)
    weights_only(model.get_weights(), folder / "next_step")
    other = small_model(tf_keras, seed=1)
    train(other, "sgd", 2)
    weights_only(other.get_weights(), folder / "other_seed")
    fresh = small_model(tf_keras, seed=1).get_weights()
    weights_only([*raw[:2], *fresh[2:]], folder / "partial")
    weights_only([*raw[:-2], *other.get_weights()[-2:]], folder / "new_head")
    built_in = small_model(tf_keras)
    train(built_in, tf_keras.optimizers.SGD(0.01, use_ema=True, ema_momentum=0.8), 3)
    tf.train.Checkpoint(model=built_in, optimizer=built_in.optimizer).write(str(folder / "keras_ema" / "w"))


def head(classes: int, folder: Path) -> None:
    """A SavedModel with a last layer of so many classes."""
    module = tf.Module()
    module.kernel = tf.Variable(tf.zeros((2, classes)), name="head/kernel")
    module.bias = tf.Variable(tf.zeros((5,)), name="bias", shape=tf.TensorShape((None,)))
    given = tf.TensorSpec((None, 2), tf.float32)
    module.serve = tf.function(lambda x: {"out": x @ module.kernel}, input_signature=[given])
    tf.saved_model.save(module, str(folder), signatures=module.serve)


def other_classes(folder: Path) -> None:
    """A graph for four classes beside the weights of three, as the Object Detection API exports one by mistake."""
    head(3, folder.with_name("three_classes"))
    head(4, folder)
    shutil.rmtree(folder / "variables")
    shutil.copytree(folder.with_name("three_classes") / "variables", folder / "variables")
    try:
        tf.saved_model.load(str(folder))
    except ValueError as error:
        ORACLE["other_classes"] = str(error)


def weights_only(weights: list[np.ndarray], folder: Path) -> None:
    """A checkpoint without optimizer, under other names than the training's."""
    model = small_model(tf_keras, seed=5)
    model.set_weights(weights)
    tf.train.Checkpoint(net=model).write(str(folder / "w"))


def save_module(model: object, folder: Path) -> None:
    module = tf.Module()
    module.model = model
    serve = tf.function(
        lambda x: {"out": model(x, training=False)}, input_signature=[tf.TensorSpec((1, None, None, 3), tf.float32)]
    )
    save(module, serve, folder)


def keras_files(folder: Path) -> None:
    for library, name in ((keras, "keras3"), (tf_keras, "keras2")):
        model = small_model(library)
        train(model, "adam", 2)
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        model.save_weights(folder / f"{name}.weights.h5")
        ORACLE["keras"][name] = sorted(digest(np.asarray(weight)) for weight in model.get_weights())
        layers = library.layers
        given = library.Input((24, 24, 3))
        x = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 9.0, 16.0])(given)
        x = layers.Conv2D(2, 3)(layers.Lambda(lambda t: t * 2.0)(x))
        library.Model(given, x).save(folder / f"{name}_lambda.keras")
        library.Model(given, x).save(folder / f"{name}_lambda.h5")


def tflite_files(folder: Path) -> None:
    given = tf_keras.Input((32, 32, 3), batch_size=1)
    layers = tf_keras.layers
    x = layers.Conv2D(32, 3, padding="same")(layers.Rescaling(1 / 127.5, -1.0)(given))
    x = layers.Dense(10)(layers.GlobalAveragePooling2D()(layers.Conv2D(32, 3)(x)))
    model = tf_keras.Model(given, x)
    draw = np.random.default_rng(0)
    convert(model, folder / "float32.tflite")
    convert(model, folder / "dynamic.tflite", optimizations=[tf.lite.Optimize.DEFAULT])
    convert(
        model,
        folder / "int8.tflite",
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([draw.uniform(0, 255, (1, 32, 32, 3)).astype("f")] for _ in range(3)),
        inference_input_type=tf.uint8,
    )
    detector = Detector("stretched")
    concrete = detector.letterbox.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], detector)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    write_tflite(converter, folder / "stretched.tflite")
    post_processing(folder / "post.tflite")


def post_processing(path: Path) -> None:
    """The operation of TFLite's own detection post-processing, marked as exporters mark it."""
    signature = (
        'name: "TFLite_Detection_PostProcess" attr { key: "max_detections" value { i: 17 } } '
        'attr { key: "max_classes_per_detection" value { i: 1 } } attr { key: "num_classes" value { i: 3 } } '
        'attr { key: "nms_score_threshold" value { f: 0.25 } } attr { key: "nms_iou_threshold" value { f: 0.55 } } '
        'attr { key: "y_scale" value { f: 10.0 } } attr { key: "x_scale" value { f: 10.0 } } '
        'attr { key: "h_scale" value { f: 5.0 } } attr { key: "w_scale" value { f: 5.0 } } '
        'attr { key: "use_regular_nms" value { b: true } } attr { key: "detections_per_class" value { i: 100 } }'
    )
    anchors = np.random.default_rng(0).uniform(0, 1, (64, 4)).astype(np.float32)
    module = Detector("bare")

    @tf.function(experimental_implements=signature)
    def suppress(boxes: tf.Tensor, scores: tf.Tensor, anchors: tf.Tensor) -> tuple[tf.Tensor, ...]:
        del boxes, scores, anchors
        return tuple(tf.constant(0.0, tf.float32, name=n) for n in ("boxes", "classes", "scores", "count"))

    @tf.function(input_signature=[tf.TensorSpec((1, 64, 64, 3), tf.float32, name="images")])
    def serve(images: tf.Tensor) -> tuple[tf.Tensor, ...]:
        boxes, scores = module.heads(images / 255.0)
        return suppress(boxes, scores, tf.constant(anchors, name="anchors"))

    module.serve = serve
    save(module, serve, path.with_name("post_saved_model"))
    converter = tf.lite.TFLiteConverter.from_saved_model(str(path.with_name("post_saved_model")))
    converter.allow_custom_ops = True
    write_tflite(converter, path)


def convert(model: object, path: Path, **options: object) -> None:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    for name, value in options.items():
        setattr(converter, name, value)
    write_tflite(converter, path)


def write_tflite(converter: object, path: Path) -> None:
    path.write_bytes(converter.convert())
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), experimental_preserve_all_tensors=False)

    def specs(details: list[dict]) -> dict:
        return {
            item["name"]: [np.dtype(item["dtype"]).name, item["shape_signature"].tolist(), list(item["quantization"])]
            for item in details
        }

    ORACLE["tflite"][path.name] = {
        "inputs": specs(interpreter.get_input_details()),
        "outputs": specs(interpreter.get_output_details()),
        "signatures": {k: {s: sorted(n) for s, n in v.items()} for k, v in interpreter.get_signature_list().items()},
    }


def frozen_first_generation(folder: Path) -> None:
    """As TensorFlow 1 exported detectors: loops of its own kind, weights as constants."""
    v1 = tf.compat.v1
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        images = v1.placeholder(tf.uint8, (None, None, None, 3), name="image_tensor")

        def prepare(image: tf.Tensor) -> tf.Tensor:
            small = v1.image.resize_images(tf.cast(image, tf.float32), (40, 40), align_corners=True)
            return (2.0 / 255.0) * small - 1.0

        x = tf.map_fn(prepare, images, dtype=tf.float32, back_prop=False)
        kernel = tf.constant(np.random.default_rng(4).normal(size=(3, 3, 3, 4)).astype(np.float32))
        x = tf.nn.conv2d(x, kernel, 8, "SAME")
        boxes, scores = tf.reshape(x, (-1, 4)), tf.sigmoid(tf.reduce_max(tf.reshape(x, (-1, 4)), -1))
        chosen = tf.image.non_max_suppression(boxes, scores, 9, iou_threshold=0.65, score_threshold=0.1)
        outputs = {
            "detection_boxes": tf.gather(boxes, chosen)[None],
            "detection_scores": tf.gather(scores, chosen)[None],
        }
        v1.saved_model.simple_save(session, str(folder), {"inputs": images}, outputs)
    v1.enable_control_flow_v2()


def main(folder: Path) -> None:
    registered = op_def_pb2.OpList()
    registered.ParseFromString(TF_GetBuffer(TF_GetAllOpList()))
    ORACLE["registry"][tf.__version__] = [op.name for op in registered.op]
    for variant in ("combined", "letterbox", "bare"):
        module = Detector(variant)
        save(module, getattr(module, variant), folder / variant)
    dangerous = Dangerous()
    save(dangerous, dangerous.serve, folder / "dangerous")
    other_classes(folder / "other_classes")
    checkpoints(folder)
    keras_files(folder)
    tflite_files(folder)
    frozen_first_generation(folder / "frozen")
    (folder / "oracle.json").write_text(json.dumps(ORACLE))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
