"""`oddemo inspect`: the contract card of an artefact, or the difference between two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from oddemo.errors import OddemoError

EPILOG = "Example: oddemo inspect exports/inspection --for tensorflow==2.15"


def inspect(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH [PATH]",
            help="A SavedModel folder, a .tflite, .keras or .h5 file, a checkpoint, or a detector's folder.",
            show_default=False,
        ),
    ],
    targets: Annotated[
        list[str] | None,
        typer.Option(
            "--for",
            metavar="RUNTIME",
            help="Say whether this runtime loads it, or changes it: tensorflow==2.15, tensorflow==2.16,keras==3.15.1, "
            "or all. May be given several times.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Print what an artefact promises, read without TensorFlow and without running anything in it.

    With two paths, print the fields in which they differ and what each difference means. With --for, print instead what
    a runtime makes of one artefact. Exit status 0: it loads, 1: something changes, fails or cannot be told. The status,
    and `outcome` in the JSON, count the loader of the artefact's own format, which is named first; other loaders are
    told beside it.
    """
    from oddemo.export.cards import diff_artefacts, read_card

    if len(paths) > 2:
        raise OddemoError("Too many paths.", expected="one artefact, or two to compare", found=f"{len(paths)} paths")
    if targets and len(paths) == 2:
        raise OddemoError("--for is about one artefact.", expected="one path", found="2 paths", do="ask for each")
    if targets:
        _predict(paths[0], targets, as_json=as_json)
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


def _predict(path: Path, targets: list[str], *, as_json: bool) -> None:
    """Print what runtimes make of an artefact, and leave with the status that says it."""
    from oddemo.export.loading import every_target, parse_target, predict
    from oddemo.export.loading.record import LOADS

    asked = [one for text in targets for one in (every_target() if text == "all" else (parse_target(text),))]
    found = [predict(path, target) for target in asked]
    if as_json:
        from oddemo.export.cards import read_card

        _print_json({**read_card(path).to_json(), "predictions": [one.to_json() for one in found]})
    else:
        from oddemo.cli.prediction_view import print_predictions

        print_predictions(found)
    raise typer.Exit(int(any(one.outcome != LOADS for one in found)))


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False))
