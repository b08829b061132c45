"""`oddemo inspect`: the contract card of an artefact, or the difference between two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from oddemo.errors import OddemoError

EPILOG = "Example: oddemo inspect data/detectors/inspection exports/inspection"


def inspect(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH [PATH]",
            help="A SavedModel folder, a .tflite, .keras or .h5 file, a checkpoint, or a detector's folder.",
            show_default=False,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Print what an artefact promises, read without TensorFlow and without running anything in it.

    With two paths, print the fields in which they differ and what each difference means.
    """
    from oddemo.export.cards import diff_artefacts, read_card

    if len(paths) > 2:
        raise OddemoError("Too many paths.", expected="one artefact, or two to compare", found=f"{len(paths)} paths")
    if len(paths) == 1:
        card = read_card(paths[0])
        if as_json:
            _print_json(card.to_json())
        else:
            from oddemo.cli.card_view import print_card

            print_card(card)
        return
    first, second, differences, weights = diff_artefacts(*paths)
    if as_json:
        _print_json(
            {
                "first": first.to_json(),
                "second": second.to_json(),
                "differences": [difference.to_json() for difference in differences],
                "weights": None if weights is None else weights.to_json(),
            }
        )
    else:
        from oddemo.cli.card_view import print_differences

        print_differences(first, second, differences, weights)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False))
