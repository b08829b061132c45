"""Faults of the caller: the export is right, the serving script around it is not.

Each script in `clients/` holds one function `detect`. A planted client is a copy of it beside the export that it loads.
"""

from __future__ import annotations

from oddemo.audit.plant.record import Parts, Plant

PLANTS = (
    Plant(
        "channel_order",
        "opencv_client",
        "The script reads with OpenCV and keeps BGR.",
        Parts(client="opencv_bgr"),
        brings=("image_decode",),
    ),
    Plant("image_decode", "pillow_client", "The script decodes JPEG files with Pillow.", Parts(client="pillow_decode")),
    Plant("label_offset", "client_subtracts", "The script subtracts 1 from class ids.", Parts(client="ids_from_zero")),
    Plant("box_order", "client_xyxy", "The script hands out x before y.", Parts(client="boxes_xyxy")),
    Plant(
        "box_scale",
        "client_stretches",
        "The script scales boxes as if there were no padding.",
        Parts(client="boxes_stretched"),
    ),
    Plant(
        "score_threshold", "client_filters", "The script keeps only scores from 0.5 on.", Parts(client="only_confident")
    ),
    Plant(
        "output_order",
        "client_by_index",
        "The script takes the outputs by their place, and the signature sorts them by name.",
        Parts(client="outputs_by_index"),
    ),
    Plant(
        "aspect_ratio",
        "client_stretches",
        "The script stretches pictures to a square first.",
        Parts(client="square_first"),
    ),
    Plant(
        "exif_orientation",
        "client_turns",
        "The script turns pictures as their EXIF tag says.",
        Parts(client="exif_turned"),
    ),
)
