"""Wrong answers to the exercises on suspects, splits, files and results (07, 08, 11, 13, 14, 16)."""

from __future__ import annotations

from statistics import stdev
from typing import Any

import numpy as np

from oddemo.data.sample import data_folder
from oddemo.files import read_json
from oddemo.study.reading import seed_values

Z = 1.96


def part_of(suspects: Any, faults: Any) -> tuple[float, float]:
    hits = sum(one in faults for one in suspects)
    return hits / max(len(suspects), 1), hits / len(faults)


def seen(faults: Any) -> list[Any]:
    return [one for one in faults if one[1] is not None]


def first(formula: str) -> Any:
    return lambda s, f, n: eval(formula, {"s": s, "f": f, "n": n, "o": np.argsort(s)})


def spread(world: str, metric: str = "held_ap", of: Any = stdev) -> float:
    study = read_json(data_folder().parent / "results" / "study_cross_validation.json")
    parts, seeds = (
        of(seed_values(study, world=world, condition=one, metric=metric)) for one in ("every_part", "one_part")
    )
    return float(parts / seeds)


def related(*, close: bool = False, statistics: bool = True, by_place: bool = False) -> Any:
    def made(a: Any, b: Any) -> str:
        if by_place:
            b = dict(zip(a, b.values(), strict=True))
        equal = {k for k in a if (np.allclose(a[k], b[k], rtol=1e-3) if close else (a[k] == b[k]).all())}
        if len(equal) == len(a):
            return "same"
        if statistics and equal == {k for k in a if "moving" in k}:
            return "averaged"
        return "in part" if equal else "another"

    return made


def walked(*, pop: bool = True, shape: str = "{path}") -> Any:
    def made(before: str, after: str) -> str:
        blocks: list[str] = []
        for old, new in zip(before.splitlines(), after.splitlines(), strict=True):
            name, _, value = old.strip().partition(": ")
            if old.rstrip().endswith("{"):
                blocks.append(name.split()[0])
            elif old.strip() == "}":
                blocks = blocks[:-1] if pop else blocks
            elif old != new:
                path = ".".join([*blocks, name])
                known = {"name": name, "blocks": ".".join(blocks), "strokes": path.replace(".", "/")}
                return shape.format(path=path, value=value, inner=path.partition(".")[2], **known)
        return ""

    return made


def listed(chosen: str, *, by: str = "point", sign: int = 1, sort: bool = True) -> Any:
    def made(trials: Any) -> list[str]:
        kept = [one for one in trials if eval(chosen, dict(one["delta_map"]))]
        if sort:
            kept.sort(key=lambda one: sign * one["delta_map"][by])
        return [one["name"] for one in kept]

    return made


def about(formula: str) -> Any:
    def made(right: int, of: int) -> Any:
        p, n = right / of, of
        middle, low = (p + Z**2 / n / 2) / (1 + Z**2 / n), 1 + Z**2 / n
        half = Z * np.sqrt(p * (1 - p) / n + Z**2 / n**2 / 4) / low
        return eval(formula, {"p": p, "n": n, "m": middle, "h": half, "low": low, "z": Z, "np": np})

    return made


GOOD = {"detector.keras": ["2.15.1"], "pictures_in.h5": ["2.12.1", "2.15.1"]}

MISTAKES: list[tuple[str, Any, str]] = [
    ("07.1", lambda s, f: part_of(s, f)[::-1], "changed places"),
    ("07.1", lambda s, f: (part_of(s, f)[0], part_of(s, set(f))[1]), "counted once"),
    ("07.1", lambda s, f: (part_of(s, f)[0], part_of(s, seen(f))[1]), "left out of the faults"),
    ("07.1", lambda s, f: (len(s) / len(f), 1.0), "suspects and"),
    ("07.1", lambda s, f: (part_of(s, f)[0] * len(s) / len(s), part_of(s, f)[1]), "raised ZeroDivisionError"),
    ("07.2", first("f[o[::-1]][:n].mean()"), "least suspicious"),
    ("07.2", first("f[:n].mean()"), "in no order"),
    ("07.2", first("f[o][:n].sum() / f.sum()"), "of the faults"),
    ("07.2", first("f[o][:n].sum() / n"), "not there"),
    ("07.2", first("f[o][:n]"), "is a ndarray"),
    ("07.2", first("f[o][:n].mean() / 2 + 0.01"), "of 30 it says"),
    ("08.1", lambda has, count: np.arange(len(has)) % count, "pictures with a crack are spread"),
    ("08.1", lambda has, count: np.arange(len(has)) * count // len(has), "with a crack are spread 12, 0, 0, 0"),
    ("08.1", lambda has, count: np.arange(len(has)) % count + 1, "numbers of the parts"),
    ("08.1", lambda has, count: np.where(has, np.cumsum(has) - 1, np.cumsum(~has) - 1) % count, "the parts have"),
    ("08.1", lambda _, count: np.arange(count), "has the shape 5"),
    ("08.2", 1 / spread("bccd"), "wrong way round"),
    ("08.2", spread("bccd") ** 2, "variances"),
    ("08.2", spread("inspection"), "drawn world"),
    ("08.2", spread("bccd", "ap"), "on the test pictures"),
    ("08.2", spread("bccd", of=np.ptp), "largest minus smallest"),
    ("08.2", 1.0, "it is not"),
    ("08.2", "seven", "is a str"),
    ("11.1", {"amber", "birch", "dogwood"}, "amber is accused"),
    ("11.1", {"birch", "cedar", "dogwood"}, "cedar is accused"),
    ("11.1", {"dogwood"}, "1 of them is passed over"),
    ("11.1", set(), "2 of them are passed over"),
    ("11.1", {"elder"}, "no folder"),
    ("11.1", "dogwood", "a str came"),
    ("11.2", related(close=True), "averaged weights"),
    ("11.2", related(statistics=False), "averaged weights: it says 'in part'"),
    ("11.2", related(by_place=True), "another order"),
    ("11.2", lambda a, b: "same" if (a["layer0/kernel"] == b["layer0/kernel"]).all() else "another", "'another'"),
    ("11.2", lambda a, b: a == b if not b else "equal", "it says 'equal'"),
    ("13.1", GOOD | {"pictures_in.h5": ["2.12.1", "2.15.1", "2.16.2"]}, "says something else"),
    ("13.1", GOOD | {"detector.keras": ["2.15.1", "2.20.0"]}, "cannot read it"),
    ("13.1", GOOD | {"pictures_in.h5": ["2.15.1"]}, "1 more would do"),
    ("13.1", GOOD | {"pictures_in.h5": ["2.15"]}, "no version of the matrix"),
    ("13.1", GOOD | {"pictures_in.h5": "2.15.1"}, "has a str"),
    ("13.1", {"detector.keras": ["2.15.1"]}, "no entry for each file"),
    ("14.1", walked(shape="{name}"), "without its blocks"),
    ("14.1", walked(shape="{blocks}"), "without the entry"),
    ("14.1", walked(shape="{strokes}"), "joined by strokes"),
    ("14.1", walked(shape="{path}: {value}"), "the value is in it"),
    ("14.1", walked(shape="{inner}"), "outermost block"),
    ("14.1", walked(pop=False), "for a changed score_threshold"),
    ("14.1", lambda *_: ["model"], "a list came back"),
    ("16.1", listed("high < 0", sign=-1), "comes last"),
    ("16.1", listed("high < 0", sort=False), "the right ones, out of order"),
    ("16.1", listed("high < 0", by="low"), "out of order: -"),
    ("16.1", listed("not low <= 0 <= high"), "a gain"),
    ("16.1", listed("point < 0"), "may be chance"),
    ("16.1", listed("low < 0"), "whose best end"),
    ("16.1", lambda trials: listed("high < 0")(trials)[:3], "3 are named"),
    ("16.1", lambda trials: listed("high < 0")(trials)[0], "a str came back"),
    ("16.2", about("(p - z * np.sqrt(p * (1 - p) / n), p + z * np.sqrt(p * (1 - p) / n))"), "plain interval"),
    ("16.2", about("(m - h / z, m + h / z)"), "one standard error"),
    ("16.2", about("((m - h) * low, (m + h) * low)"), "nothing is divided"),
    ("16.2", about("(p - h, p + h)"), "about the part itself"),
    ("16.2", about("(m, h)"), "it says"),
    ("16.2", about("m - h"), "a single number"),
]
