"""What in a lock or in a command leaves open which version is installed."""

from __future__ import annotations

import re


def loose_entries(text: str) -> list[str]:
    """Entries of a lock that another version, or other files under the same version, would satisfy."""
    entries = [entry for entry in re.split(r"\n(?=[A-Za-z0-9])", text) if re.match(r"[A-Za-z0-9]", entry)]
    exact = re.compile(r"[\w.-]+==[\w.+]+( ; [^\n]+)? \\\n    --hash=sha256:[0-9a-f]{64}")
    return [entry.splitlines()[0] for entry in entries if not exact.match(entry)]


def loose_installs(text: str) -> list[str]:
    """Lines that install whatever is newest today."""
    lines = [line for line in text.splitlines() if re.search(r"\b(pip|uv)\b.*\b(install|sync)\b", line)]
    newest = [line for line in lines if re.search(r"(^|\s)(-U|--upgrade)\b", line)]
    return newest + [line for line in lines if "requirements.lock" in line and "--require-hashes" not in line]
