"""Addresses outside: are they still there? Asked once a week, never by a build."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

SECONDS, TRIES, PAUSE_SECONDS = 30, 3, 20
#: Answers that say that the address is there, though not for a program, or not so often.
THERE = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.TOO_MANY_REQUESTS}


def problem(address: str, *, tries: int = TRIES, pause_seconds: float = PAUSE_SECONDS) -> str:
    """Return what is wrong with an address, empty if it is there.

    Args:
        address: Starts with http or https.
        tries: How often it is asked before it counts as gone.
        pause_seconds: Between two tries.
    """
    request = urllib.request.Request(address, headers={"User-Agent": "oddemo link check"})
    found = ""
    for nth in range(tries):
        if nth:
            time.sleep(pause_seconds)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS):
                return ""
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in THERE:
                return ""
            found = f"HTTP {error.code}"
            if error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
                break
        except OSError as error:
            found = str(error)
    return found


def problems(addresses: Sequence[str], ask: Callable[[str], str] = problem) -> dict[str, str]:
    """Return address → what is wrong with it, for those that are not there.

    Args:
        addresses: To ask, a few at a time.
        ask: Returns what is wrong with one, or nothing.
    """
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = zip(addresses, pool.map(ask, addresses), strict=True)
        return {address: answer for address, answer in answers if answer}


def report(listed: Path) -> int:
    """Ask every address of a list, say which are gone, and return 1 if any is."""
    if not listed.is_file():
        print(f"{listed} is not there: make the site first", file=sys.stderr)
        return 2
    addresses = listed.read_text(encoding="utf-8").split()
    gone = problems(addresses)
    for address, what in gone.items():
        print(f"{address}: {what}")
    print(f"{len(addresses) - len(gone)} of {len(addresses)} addresses are there")
    return 1 if gone else 0
