"""TF-Vision's serving preprocessing: a picture becomes the tensor that enters the first convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddemo.detect.runtime import load_tensorflow


class Preprocessor:
    """Normalise, resize to fit the network input, pad at the bottom and on the right.

    The operations are those of TF-Vision's `DetectionModule`, which an export contains: ImageNet mean and standard
    deviation on the 0-255 scale, then bilinear resizing without antialiasing, then zeros.

    Args:
        params: TF-Vision's `ExperimentConfig` of a RetinaNet.

    Attributes:
        input_size_hw: Size that a picture is resized to fit, in pixels.
        padded_size_hw: Size of the network input; the same, rounded up to a multiple of the coarsest stride.
        keep_aspect_ratio: Letterbox if true, stretch if false.
        mean: (3,) RGB mean that is subtracted, 0-255.
        std: (3,) RGB standard deviation that is divided by, 0-255.
    """

    def __init__(self, params: Any) -> None:
        tf = load_tensorflow()
        from official.vision.ops import preprocess_ops

        model, parser = params.task.model, params.task.train_data.parser
        height, width = (int(side) for side in model.input_size[:2])
        self.input_size_hw: tuple[int, int] = (height, width)
        self.padded_size_hw = self.input_size_hw
        if parser.pad:
            padded = preprocess_ops.compute_padded_size([height, width], 2**model.max_level)
            self.padded_size_hw = (int(padded[0]), int(padded[1]))
        self.keep_aspect_ratio = bool(parser.keep_aspect_ratio)
        self.mean: NDArray[np.float32] = np.asarray(preprocess_ops.MEAN_RGB, np.float32)
        self.std: NDArray[np.float32] = np.asarray(preprocess_ops.STDDEV_RGB, np.float32)

        def graph(image: Any) -> Any:
            pixels = preprocess_ops.normalize_image(
                tf.cast(image, tf.float32), offset=preprocess_ops.MEAN_RGB, scale=preprocess_ops.STDDEV_RGB
            )
            return preprocess_ops.resize_and_crop_image(
                pixels,
                list(self.input_size_hw),
                padded_size=list(self.padded_size_hw),
                aug_scale_min=1.0,
                aug_scale_max=1.0,
                keep_aspect_ratio=self.keep_aspect_ratio,
            )

        self._graph = tf.function(graph, input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)], autograph=False)

    def __call__(self, image_rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Preprocess one picture.

        Args:
            image_rgb: (height, width, 3) uint8, RGB, 0-255.

        Returns:
            The network input, (input height, input width, 3) float32, and TF-Vision's `image_info`, (4, 2) float32,
            each row height then width: size of the picture, size of the network input before padding, scale (network
            pixels per picture pixel), offset.
        """
        pixels, image_info = self._graph(image_rgb)
        return pixels.numpy(), image_info.numpy()


def boxes_to_picture(boxes_yxyx_network: NDArray[Any], image_info: NDArray[Any]) -> NDArray[np.float32]:
    """Move boxes from the frame of the network input to the frame of the original picture.

    Boxes are not clipped to the picture: TF-Vision clips them to the network input, which includes the padding.

    Args:
        boxes_yxyx_network: (..., 4) pixels of the network input.
        image_info: (4, 2) as `Preprocessor` returns it.

    Returns:
        (..., 4) float32, pixels of the original picture.
    """
    scale, offset = np.tile(image_info[2], 2), np.tile(image_info[3], 2)
    moved: NDArray[np.float32] = ((np.asarray(boxes_yxyx_network, np.float32) + offset) / scale).astype(np.float32)
    return moved
