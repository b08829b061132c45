"""For which machines a wheelhouse is, and which packages of the lock such a machine needs."""

from __future__ import annotations

import platform as machine
import re
import sys
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from oddemo.errors import OddemoError


@dataclass(frozen=True)
class Target:
    """For which machines a kit is.

    Args:
        python: Minor version, as `3.11`.
        platform: A platform as pip names it; empty for this machine.
    """

    python: str
    platform: str = ""

    def __post_init__(self) -> None:
        known = re.fullmatch(r"(manylinux_2_\d+|macosx_\d+_\d+)_(x86_64|aarch64|arm64)", self.platform)
        if (self.platform and known is None) or self.python not in ("3.10", "3.11", "3.12"):
            raise OddemoError(
                "There is no such kit.",
                expected="Python 3.10, 3.11 or 3.12, and a platform such as manylinux_2_28_x86_64 or macosx_14_0_arm64",
                found=f"Python {self.python}, platform {self.platform or 'of this machine'}",
            )

    @property
    def is_here(self) -> bool:
        """Whether the kit is for machines like this one."""
        return not self.platform and self.python == ".".join(machine.python_version_tuple()[:2])

    def environment(self) -> dict[str, str]:
        """Return what the markers of the lock ask for."""
        on_mac = self.platform.startswith("macosx") if self.platform else sys.platform == "darwin"
        architecture = re.sub(r"^(manylinux_2_\d+|macosx_\d+_\d+)_", "", self.platform)
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.99",
            "sys_platform": "darwin" if on_mac else "linux",
            "platform_system": "Darwin" if on_mac else "Linux",
            "platform_machine": architecture or machine.machine(),
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }

    def options(self) -> list[str]:
        """Return pip's options for a machine other than this one; it does not know that 2_28 runs 2_17 as well."""
        if self.is_here:
            return []
        options = ["--python-version", self.python, "--implementation", "cp"]
        found = re.fullmatch(r"manylinux_2_(\d+)_(\w+)", self.platform)
        names = [f"manylinux_2_{minor}_{found[2]}" for minor in range(int(found[1]), 4, -1)] if found else []
        names += [f"manylinux{year}_{found[2]}" for year in ("2014", "2010", "1")] if found else [self.platform]
        return options + [part for name in names if name for part in ("--platform", name)]


@dataclass(frozen=True)
class Entry:
    """One package of the lock.

    Args:
        name: Canonical name.
        version: The only one.
        hashes: SHA-256 of each file that the lock allows.
    """

    name: str
    version: str
    hashes: frozenset[str]

    def line(self) -> str:
        """Return it as a line of requirements without its marker, which pip would ask of the wrong machine."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{one}" for one in sorted(self.hashes))])


def entries(lock: str, target: Target) -> list[Entry]:
    """Return the packages of a lock's text that a target needs."""
    wanted, place = [], target.environment()
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock.replace("\\\n", " ")):
        head, *hashes = re.split(r"\s+--hash=sha256:", block.strip())
        if not re.match(r"[A-Za-z0-9]", head):
            continue
        requirement = Requirement(head.strip())
        if requirement.marker is None or requirement.marker.evaluate(place):
            (pinned,) = requirement.specifier
            wanted.append(Entry(canonicalize_name(requirement.name), pinned.version, frozenset(map(str.strip, hashes))))
    return wanted
