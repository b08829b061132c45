"""Run the notebooks and check what is stored in them.

    python tools/notebooks.py check [NOTEBOOK …]    does each keep the rules of notebook_policy.py?
    python tools/notebooks.py run   [NOTEBOOK …]    execute, store the outputs, write the measured budget

Without a name, every notebook in notebooks/ is meant.
"""

from __future__ import annotations

import argparse
import datetime
import math
import multiprocessing
import resource
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

import notebook_policy as policy
from notebook_cells import code_cells
from oddemo.files import write_text

ROOT = Path(__file__).resolve().parents[1]
CELL_TIMEOUT_S = 120
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def strip_metadata(notebook: nbformat.NotebookNode) -> None:
    """Keep of the metadata only what the policy allows; execution counts and outputs stay."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            _join_streams(cell)


def _join_streams(cell: nbformat.NotebookNode) -> None:
    """Join neighbouring outputs of one stream: where the kernel flushed in between is chance."""
    joined: list[nbformat.NotebookNode] = []
    for output in cell.outputs:
        last = joined[-1] if joined else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    cell.outputs = joined


def write_budget(notebook: nbformat.NotebookNode, *, seconds: float, peak_gb: float) -> str:
    """Put the measured cost into the opening cell, rounded up so that a second run seldom changes it."""
    line = f"<!-- budget --> Budget: {max(5, math.ceil(seconds / 5) * 5)} s, {math.ceil(peak_gb * 10) / 10:.1f} GB"
    line += " of memory (measured on two cores without a GPU)"
    if notebook.cells:
        notebook.cells[0].source = policy.BUDGET.sub(line, notebook.cells[0].source)
    return line


def _cell_seconds(cell: nbformat.NotebookNode) -> float:
    stamps = cell.metadata.get("execution", {})
    try:
        start, end = (
            datetime.datetime.fromisoformat(stamps[key].replace("Z", "+00:00"))
            for key in ("iopub.execute_input", "shell.execute_reply")
        )
    except KeyError:
        return 0.0
    return (end - start).total_seconds()


def run(path: Path) -> int:
    """Execute one notebook top to bottom in a fresh kernel and write it back; return an exit status.

    The kernel gets no help that a reader would not have: what silences TensorFlow is the notebook's own first cell.
    A notebook that fails is left as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook, timeout=CELL_TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    start = time.perf_counter()
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        print(f"{path.name}: failed, and is left as it was\n{error}", file=sys.stderr)
        return 1
    seconds = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak_gb = usage.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6 / 1.024)
    for place, cell in code_cells(notebook):
        print(f"{path.name} cell {place:2d}: {_cell_seconds(cell):6.2f} s  {cell.source.strip().splitlines()[0][:70]}")
    write_budget(notebook, seconds=seconds, peak_gb=peak_gb)
    strip_metadata(notebook)
    nbformat.validate(notebook)
    write_text(path, nbformat.writes(notebook) + "\n")
    cpu = usage.ru_utime + usage.ru_stime
    print(f"{path.name}: {seconds:.1f} s in all ({cpu:.1f} CPU s), {peak_gb:.2f} GB at most")
    return report([path])


def report(paths: list[Path]) -> int:
    """Print what the policy finds in the notebooks; return 1 if anything, else 0."""
    findings = [finding for path in paths for finding in policy.check(path)]
    for finding in findings:
        print(finding)
    print(f"{len(paths)} notebooks checked, {len(findings)} findings")
    return 1 if findings else 0


def main() -> int:
    """Read the command line and do what it says; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("check", "run"))
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    arguments = parser.parse_args()
    paths = [path.resolve() for path in arguments.notebooks] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    if arguments.verb == "check":
        return report(paths)
    # One process a notebook: the peak memory of finished children is counted a process.
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return max(pool.imap(run, paths), default=0)


if __name__ == "__main__":
    sys.exit(main())
