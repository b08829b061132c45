"""The recorder as one file that can be copied to the machine where a model is deployed."""

from __future__ import annotations

import shutil
import tempfile
import zipapp
from pathlib import Path

from oddemo.errors import OddemoError
from oddemo.files import atomic_file, refuse_unwritable_file

#: Where the scripts lie that run in other environments; they import neither oddemo nor anything that it needs.
SCRIPTS = Path(__file__).parent / "scripts"

_MAIN = 'import runpy\n\nrunpy.run_module("oddemo_probe", run_name="__main__")\n'


def write_probe(path: Path, *, overwrite: bool = False) -> Path:
    """Pack `scripts/oddemo_probe` into one file that any Python from 3.8 runs.

    Args:
        path: Where to write it, `probe.pyz`.
        overwrite: Replace a file that is there already.

    Raises:
        OddemoError: If the name does not end in .pyz, or the place is taken.
    """
    path = Path(path)
    if path.suffix != ".pyz":
        raise OddemoError(f"{path} is not the name of a Python archive.", expected="a name that ends in .pyz")
    refuse_unwritable_file(path, overwrite=overwrite)
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "oddemo_probe"
        shutil.copytree(SCRIPTS / "oddemo_probe", package, ignore=shutil.ignore_patterns("__pycache__"))
        (Path(folder) / "__main__.py").write_text(_MAIN, encoding="utf-8")
        with atomic_file(path) as temporary:
            zipapp.create_archive(folder, temporary)
    return path
