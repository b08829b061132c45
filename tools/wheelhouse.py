"""Make a kit that installs the project on a machine without network: wheels, the project, a script and checksums.

    python tools/wheelhouse.py                      for this machine's Python and platform: runs/wheelhouse
    python tools/wheelhouse.py --python 3.12 --platform manylinux_2_28_aarch64
    python tools/wheelhouse.py --sizes              say how large it is, and download nothing

`make wheelhouse` calls this, with PY=3.12 and PLATFORM=macosx_14_0_arm64 if they are given; a platform is named as
pip names it. What is there already is kept, so a download that was interrupted goes on. Every wheel is checked against
requirements.lock. The few packages that publish no wheel are built here, from sources that the lock names.
"""

from __future__ import annotations

import argparse
import hashlib
import platform as machine
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.utils import parse_wheel_filename
from packaging.version import Version

from oddemo.errors import OddemoError
from oddemo.files import write_text
from oddemo.progress import track
from wheel_target import Entry, Target, entries

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
INSTALLER = ROOT / "workshop" / "install_offline.sh"
#: As measured for Python 3.11 on Linux x86_64: the kit, and what it becomes when it is installed.
KIT_MB, INSTALLED_MB = 1200, 4000
BATCH = 8
#: What the lock holds is what is wanted, as uv does it: a pinned package may say that it needs an older Python.
CHECKED = ("--quiet", "--no-deps", "--require-hashes", "--ignore-requires-python")
CHECKSUMS, REQUIREMENTS = "CHECKSUMS", "requirements.txt"


def sha256(path: Path) -> str:
    """Return a file's SHA-256."""
    told = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            told.update(part)
    return told.hexdigest()


def kept(entry: Entry, folder: Path) -> Path | None:
    """Return the wheel of an entry that is in the kit, whole; those in `built` were built here."""
    for path in [*(folder / "wheels").glob("*.whl"), *(folder / "built").glob("*.whl")]:
        name, version, _, _ = parse_wheel_filename(path.name)
        if name == entry.name and version == Version(entry.version):
            if path.parent.name == "built" or sha256(path) in entry.hashes:
                return path
            path.unlink()  # half a file, or another build of it
    return None


def refuse_full_disk(folder: Path, missing: int, of: int) -> None:
    """Raise unless there is room for what is missing.

    Args:
        folder: Where the kit will lie.
        missing: How many packages are still to be downloaded.
        of: How many there are.
    """
    above = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    need_mb, free_mb = KIT_MB * missing / max(of, 1) + 100, shutil.disk_usage(above).free / 1e6
    if free_mb < need_mb:
        raise OddemoError(
            "There is too little space for the wheelhouse.",
            expected=f"{need_mb:.0f} MB free in {above}",
            found=f"{free_mb:.0f} MB",
            do="make room, or name another folder with --out",
        )


def pip(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run pip in a process of its own."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def download(wanted: Iterable[Entry], folder: Path, target: Target) -> str:
    """Fetch wheels, checked against the lock; return what pip says if one of them is not to be had."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(entry.line() for entry in wanted) + "\n")
        file.flush()
        options = [*CHECKED, "--only-binary=:all:", *target.options()]
        done = pip("download", *options, "--dest", folder / "wheels", "--requirement", file.name)
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit status {done.returncode}"


def build(entry: Entry, folder: Path, target: Target) -> None:
    """Build the wheel of a package that publishes none, from sources that the lock names, with the lock's own tools."""
    with tempfile.TemporaryDirectory() as place:
        requirements = Path(place, "one.txt")
        requirements.write_text(entry.line() + "\n", encoding="utf-8")
        options = [*CHECKED, "--no-build-isolation", f"--no-binary={entry.name}"]
        done = pip("wheel", *options, "--wheel-dir", place, "--requirement", requirements)
        made = next(Path(place).glob("*.whl"), None)
        if done.returncode != 0 or made is None:
            raise OddemoError(
                f"{entry.name} {entry.version} cannot be had.",
                expected="a wheel for the target, or sources that build here",
                found=(done.stderr.strip().splitlines() or ["no wheel"])[-1],
                do="look whether the index is within reach, and run it again: what is there is kept",
            )
        if not target.is_here and not made.name.endswith("-none-any.whl"):
            raise OddemoError(
                f"{entry.name} publishes no wheel for {target.platform}, and one built here runs here alone.",
                do="make the wheelhouse on such a machine",
            )
        (folder / "built").mkdir(exist_ok=True)
        shutil.move(str(made), folder / "built" / f".{made.name}")
        (folder / "built" / f".{made.name}").replace(folder / "built" / made.name)


def fill(folder: Path, target: Target, wanted: list[Entry]) -> list[Path]:
    """Bring every wheel into the kit, and return them in the order of the lock."""
    (folder / "wheels").mkdir(parents=True, exist_ok=True)
    missing = [entry for entry in wanted if kept(entry, folder) is None]
    refuse_full_disk(folder, len(missing), len(wanted))
    print(f"{len(wanted)} packages, {len(missing)} to be downloaded (about {KIT_MB * len(missing) // len(wanted)} MB)")
    batches = [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]
    for batch in track(batches, "downloading"):
        if download(batch, folder, target):
            for entry in batch:
                if kept(entry, folder) is None and download([entry], folder, target):
                    build(entry, folder, target)
    wheels = [(entry, kept(entry, folder)) for entry in wanted]
    lost = [entry.name for entry, wheel in wheels if wheel is None]
    if lost:
        raise OddemoError("The wheelhouse is not whole.", found=f"no wheel of {', '.join(lost)}", do="run it again")
    found = [wheel for _, wheel in wheels if wheel is not None]
    for path in [*(folder / "wheels").iterdir(), *(folder / "built").glob("*")]:
        if path not in found:
            path.unlink()  # of an earlier lock
    lines = [f"{e.name}=={e.version} --hash=sha256:{sha256(wheel)}" for e, wheel in wheels if wheel is not None]
    write_text(folder / REQUIREMENTS, "\n".join(lines) + "\n")
    return found


def project(folder: Path) -> str:
    """Put the project as it is at the current commit into the kit, and return the commit."""
    told = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if told.returncode != 0:
        raise OddemoError("The project's commit is not known.", expected="a clone of the repository", do="git clone it")
    archive = [
        "git",
        "archive",
        "--format=tar.gz",
        "--prefix=oddemo/",
        "--output",
        str(folder / "oddemo.tar.gz"),
        "HEAD",
    ]
    subprocess.run(archive, cwd=ROOT, check=True)
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    if changed.stdout.strip():
        print("note: files that are not committed are not in the kit")
    return told.stdout.strip()


def checksums(folder: Path) -> Iterator[str]:
    """Yield a line of `sha256sum` for every file of the kit."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != CHECKSUMS:
            yield f"{sha256(path)}  {path.relative_to(folder).as_posix()}"


def make(folder: Path, target: Target) -> None:
    """Make the kit; its checksums come last, so that a kit without them is known to be unfinished."""
    (folder / CHECKSUMS).unlink(missing_ok=True)
    lock = LOCK.read_text(encoding="utf-8")
    wheels = fill(folder, target, entries(lock, target))
    commit = project(folder)
    shutil.copyfile(LOCK, folder / "requirements.lock")
    shutil.copyfile(INSTALLER, folder / INSTALLER.name)
    about = {"python": target.python, "commit": commit, "installed_mb": str(INSTALLED_MB)}
    about["platform"] = target.platform or f"{machine.system()} {machine.machine()}"
    write_text(folder / "ABOUT", "".join(f"{name}={value}\n" for name, value in about.items()))
    write_text(folder / CHECKSUMS, "\n".join(checksums(folder)) + "\n")
    size_mb = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    print(f"{folder}: {len(wheels)} wheels, {size_mb:.0f} MB; commit {commit}, Python {target.python}")


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=".".join(machine.python_version_tuple()[:2]))
    parser.add_argument("--platform", default="")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sizes", action="store_true")
    options = parser.parse_args()
    try:
        target = Target(options.python, options.platform)
        name = "wheelhouse" if target.is_here else f"wheelhouse-{target.python}-{target.platform or 'here'}"
        if options.sizes:
            print(f"about {KIT_MB} MB for the kit, {INSTALLED_MB} MB more where it is installed")
        else:
            make(options.out or ROOT / "runs" / name, target)
    except OddemoError as error:
        print(f"make: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
