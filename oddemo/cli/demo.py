"""`oddemo demo`: the whole story on the built-in world."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = "Example: oddemo demo --world wildlife --fault resize_kernel"


def demo(
    *,
    world: Annotated[str, typer.Option(help="inspection or wildlife.")] = "inspection",
    fault: Annotated[str, typer.Option(help="What to plant: a fault id, or fault/variant.")] = "channel_order",
    out: Annotated[Path, typer.Option(help="Where the demo's folder is made.")] = Path("runs"),
) -> None:
    """Load a trained detector, export it, break the export, let the audit find out how, and write a report.

    Ends with exit status 0 if the audit names the planted fault and calls the sound export faithful.
    """
    from rich.console import Console

    from oddemo.audit.report import print_report, write_html
    from oddemo.audit.story import tell_story
    from oddemo.cli.status import telling
    from oddemo.files import write_json

    console = Console(highlight=False)
    with telling("starting") as tell:
        story = tell_story(world, fault, out, tell=tell)
    report = story.folder / "report.html"
    write_html(story.broken, report)
    write_json(story.folder / "audit.json", story.broken.to_json())
    console.print(f"1. the sound export, on {story.sound.comparison.images} pictures: {story.sound.verdict}")
    console.print(f"2. the broken export ({story.plant.story}):")
    print_report(story.broken, console)
    console.print(f"report: {report}", soft_wrap=True)
    found = "verified" if story.named else "not found"
    console.print(f"planted {story.plant.name}: {found}; {story.seconds:.0f} s in all")
    console.print("next: open the report in a browser; then `make lab`, notebook 00_start_here")
    raise typer.Exit(0 if story.named and story.sound.verdict == "faithful" else 1)
