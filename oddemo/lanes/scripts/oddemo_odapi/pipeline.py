"""The configuration of a small SSD MobileNet V2 FPN that learns a generated world in a few hundred steps."""

from __future__ import annotations

#: Filled in by `pipeline_text`. Learning rate and initialisation were measured: 0.08 does not learn at this size.
_PIPELINE = """\
model {
  ssd {
    num_classes: %(classes)d
    image_resizer { fixed_shape_resizer { height: %(size)d width: %(size)d } }
    feature_extractor {
      type: "ssd_mobilenet_v2_fpn_keras"
      depth_multiplier: 0.35
      min_depth: 16
      use_depthwise: true
      override_base_feature_extractor_hyperparams: true
      %(hyperparams)s
      fpn { min_level: 3 max_level: 7 additional_layer_depth: 64 }
    }
    box_coder { faster_rcnn_box_coder { y_scale: 10.0 x_scale: 10.0 height_scale: 5.0 width_scale: 5.0 } }
    matcher {
      argmax_matcher {
        matched_threshold: 0.5
        unmatched_threshold: 0.5
        ignore_thresholds: false
        negatives_lower_than_unmatched: true
        force_match_for_each_row: true
        use_matmul_gather: true
      }
    }
    similarity_calculator { iou_similarity { } }
    box_predictor {
      weight_shared_convolutional_box_predictor {
        %(hyperparams)s
        depth: 64
        num_layers_before_predictor: 2
        kernel_size: 3
        class_prediction_bias_init: -4.6
        share_prediction_tower: true
        use_depthwise: true
      }
    }
    anchor_generator {
      multiscale_anchor_generator {
        min_level: 3
        max_level: 7
        anchor_scale: %(anchor_scale)s
        aspect_ratios: [1.0, 2.0, 0.5]
        scales_per_octave: 2
      }
    }
    post_processing {
      batch_non_max_suppression {
        score_threshold: 0.05
        iou_threshold: 0.6
        max_detections_per_class: 50
        max_total_detections: 50
      }
      score_converter: SIGMOID
    }
    normalize_loss_by_num_matches: true
    normalize_loc_loss_by_codesize: true
    encode_background_as_zeros: true
    inplace_batchnorm_update: true
    freeze_batchnorm: false
    loss {
      classification_loss { weighted_sigmoid_focal { gamma: 2.0 alpha: 0.25 } }
      localization_loss { weighted_smooth_l1 { } }
      classification_weight: 1.0
      localization_weight: 1.0
    }
  }
}
train_config {
  batch_size: %(batch)d
  num_steps: %(steps)d
  max_number_of_boxes: 32
  unpad_groundtruth_tensors: false
  data_augmentation_options { random_horizontal_flip { } }
  optimizer {
    use_moving_average: false
    momentum_optimizer {
      momentum_optimizer_value: 0.9
      learning_rate {
        cosine_decay_learning_rate {
          learning_rate_base: 0.03
          total_steps: %(steps)d
          warmup_learning_rate: 0.003
          warmup_steps: %(warmup)d
        }
      }
    }
  }
}
train_input_reader {
  label_map_path: "%(label_map)s"
  num_readers: 1
  tf_record_input_reader { input_path: "%(records)s" }
}
"""
_HYPERPARAMS = """conv_hyperparams {
        activation: RELU_6
        regularizer { l2_regularizer { weight: 0.00004 } }
        initializer { truncated_normal_initializer { stddev: 0.03 mean: 0.0 } }
        batch_norm { decay: 0.9 scale: true epsilon: 0.001 }
      }"""


def pipeline_text(
    *, classes: int, size_px: int, steps: int, batch: int, label_map: str, records: str, anchor_scale: float = 4.0
) -> str:
    """Return the text of a pipeline.config.

    Args:
        classes: Without background.
        size_px: Height and width of the network's input.
        steps: Of training.
        batch: Pictures in a step.
        label_map: Where the label map lies, from the folder that training runs in.
        records: Where the TFRecord lies.
        anchor_scale: Side of the smallest anchors in cells of the finest level, which are 8 pixels wide.
    """
    return _PIPELINE % {
        "classes": classes,
        "size": size_px,
        "steps": steps,
        "warmup": min(20, steps // 2),
        "batch": batch,
        "label_map": label_map,
        "records": records,
        "anchor_scale": repr(float(anchor_scale)),
        "hyperparams": _HYPERPARAMS,
    }
