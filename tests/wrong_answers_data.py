"""Wrong answers to the exercises on reports, labels and numbers (00 to 05), as learners write them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from oddemo.audit.stages import STAGES
from oddemo.data.records import Detections


def picked(*statuses: str, place: int = 0, key: str = "stage") -> Any:
    def made(stages: Any) -> Any:
        found = [one[key] for one in stages if one["status"] in statuses]
        return found[place] if found else None

    return made


def counted(*, of_pictures: bool = False, keep_zero: bool = True, shift: int = 1, times: int = 1) -> Any:
    def made(dataset: Any) -> Any:
        counts = dict.fromkeys(dataset.class_names, 0) if keep_zero else {}
        for record in dataset.records:
            for k in set(record.class_ids.tolist()) if of_pictures else record.class_ids.tolist():
                name = dataset.class_names[(k - shift) % len(dataset.class_names)]
                counts[name] = counts.get(name, 0) + times
        return counts

    return made


def faulty(formula: str) -> Any:
    def made(record: Any) -> Any:
        y0, x0, y1, x1 = record.boxes_yxyx_px.T
        h, w = record.image_size_hw_px
        return np.flatnonzero(eval(formula, {}, {"y0": y0, "x0": x0, "y1": y1, "x1": x1, "h": h, "w": w})).tolist()

    return made


def rates(precision: str, recall: str) -> Any:
    def made(s: Any, r: Any, n: Any, t: Any) -> Any:
        known = {"s": s, "r": r, "n": n, "t": t, "k": s >= t, "np": np}
        return [float(eval(f"({one}) if (s >= t).any() else 0.0", known)) for one in (precision, recall)]

    return made


def limits(formula: str) -> Any:
    return lambda a, b, d: eval(formula, {"a": a, "b": b, "d": d, "np": np, "q": [0.025, 0.975]})


def alike(formula: str) -> Any:
    def made(a: Any, b: Any, t: float) -> Any:
        with np.errstate(all="ignore"):
            return bool(eval(formula, {"a": a, "b": b, "t": t, "np": np}))

    return made


def slots(first: Detections, second: Detections, *, boxes: bool = True, scores: bool = True, sort: bool = True) -> bool:
    if len(first) != len(second):
        return False
    order = np.argsort(-second.scores) if sort else np.arange(len(second))
    mine = np.argsort(-first.scores) if sort else np.arange(len(first))
    near = not boxes or np.abs(first.boxes_yxyx_px[mine] - second.boxes_yxyx_px[order]).max(initial=0) < 0.25
    return bool(near and (not scores or np.abs(first.scores[mine] - second.scores[order]).max(initial=0) < 1e-3))


def partners(first: Detections, second: Detections, *, count: bool, boxes: bool = True, scores: bool = True) -> bool:
    """Every detection of the first has one in the second, whoever else has it."""
    if count and len(first) != len(second):
        return False
    box_px = np.abs(first.boxes_yxyx_px[:, None] - second.boxes_yxyx_px[None]).max(axis=2) < (0.25 if boxes else 1e9)
    score = np.abs(first.scores[:, None] - second.scores[None]) < (1e-3 if scores else 2)
    return bool((box_px & score).any(axis=1).all())


def factor(formula: str) -> Any:
    def made(shown: Any, t: float) -> Any:
        with np.errstate(all="ignore"):
            return eval(formula, {"s": shown, "f": shown.mean(axis=0), "n": shown.sum(axis=0), "t": t, "np": np})

    return made


def far(formula: str) -> Any:
    def made(b: Any, size: Any) -> Any:
        hw, m = np.array(size), (b[:, :2] + b[:, 2:]) / 2
        known = {"b": b, "m": m, "hw": hw, "half": np.hypot(*hw) / 2, "np": np, "norm": np.linalg.norm}
        return eval(formula, known)

    return made


def third(
    formula: str = "(k, c.low, c.high)", *, order: str = "np.argsort(light)", weakest: bool = True, pooled: bool = False
) -> Any:
    def made(light: Any, found: Any) -> Any:
        parts = np.array_split(found[eval(order, {"np": np, "light": light})], 3)
        means = [part.mean() for part in parts]
        k = int(np.argmin(means) if weakest else np.argmax(means))
        others = np.concatenate(parts[:k] + parts[k + 1 :])
        known = {"k": k, "mine": parts[k], "all": found, "stats": stats, "np": np}
        known["c"] = stats.ttest_ind(parts[k], others, equal_var=pooled).confidence_interval()
        return eval(formula, known)

    return made


def by_range(light: Any, found: Any) -> Any:
    """Thirds of the range from dark to bright."""
    cut = np.digitize(light, np.linspace(light.min(), light.max(), 4)[1:3])
    k = int(np.argmin([found[cut == one].mean() for one in range(3)]))
    return k, *stats.ttest_ind(found[cut == k], found[cut != k], equal_var=False).confidence_interval()


MISTAKES: list[tuple[str, Any, str]] = [
    ("00.1", lambda _: None, "finds nothing"),
    ("00.1", picked("differs", "not_compared"), "was not compared"),
    ("00.1", picked("differs", place=-1), "the last stage"),
    ("00.1", picked("equal"), "that is equal"),
    (
        "00.1",
        lambda stages: next((STAGES.index(s["stage"]) for s in stages if s["status"] == "differs"), None),
        "number",
    ),
    ("00.1", lambda _: "pixels", "it says 'pixels'"),
    ("00.1", picked("differs", key="name"), "raised KeyError"),
    ("00.2", lambda d: "loss" if d["point"] < 0 else "gain", "is called"),
    ("00.2", lambda d: "loss" if d["low"] < 0 else "gain" if d["high"] > 0 else "cannot tell", "is called 'loss'"),
    ("00.2", lambda _: "cannot tell", "is called 'cannot tell'"),
    ("00.2", lambda d: d["high"] < 0, "it says False"),
    ("01.1", counted(of_pictures=True), "pictures are counted"),
    ("01.1", counted(keep_zero=False), "are left out"),
    ("01.1", counted(shift=0), "one too far"),
    ("01.1", counted(shift=2), "the sum is right"),
    ("01.1", counted(times=2), "boxes are counted"),
    ("01.1", lambda _: {"crack": 1}, "names do not fit"),
    ("01.1", lambda _: [1, 2], "a list came back"),
    ("01.2", faulty("(y0 < 0) | (x0 < 0) | (y1 > h) | (x1 > w)"), "is passed over"),
    ("01.2", faulty("(y0 < 0) | (x0 < 0) | (y1 > w) | (x1 > h) | (y1 == y0) | (x1 == x0)"), "is accused and sound"),
    ("01.2", faulty("(y0 <= 0) | (x0 <= 0) | (y1 >= h) | (x1 >= w) | (y1 == y0)"), "is accused"),
    ("01.2", faulty("(y1 > h) | (x1 > w) | (y1 == y0) | (x1 == x0)"), "passed over"),
    ("01.2", lambda _: 3, "a int came back"),
    ("02.1", rates("(r & k).sum() / n", "(r & k).sum() / k.sum()"), "changed places"),
    ("02.1", rates("(r & (s > t)).sum() / max((s > t).sum(), 1)", "(r & (s > t)).sum() / n"), "threshold itself"),
    ("02.1", rates("(r & k).sum() / k.sum()", "(r & k).sum() / r.sum()"), "nothing has found"),
    ("02.1", rates("(r & k).mean()", "(r & k).sum() / n"), "of all detections"),
    ("02.1", rates("(r & k).sum() / k.sum()", "r.sum() / n"), "below the threshold"),
    ("02.1", rates("0.5", "0.5"), "it says precision 0.50"),
    ("02.1", lambda s, r, n, t: np.float64((r & (s >= t)).sum()) / n, "a single number"),
    (
        "02.1",
        lambda s, r, n, t: ((r & (s >= t)).sum() / int((s >= t).sum()), (r & (s >= t)).sum() / n),
        "raised RuntimeWarn",
    ),
    ("02.2", limits("np.quantile((a - b)[d].mean(1), q)"), "reference minus candidate"),
    ("02.2", limits("np.quantile(b[d].mean(1), q) - np.quantile(a[d].mean(1), q)[::-1]"), "two single intervals"),
    ("02.2", limits("np.quantile(b[d].mean(1), q)"), "candidate's own"),
    ("02.2", limits("[(b - a)[d].mean(1).min(), (b - a)[d].mean(1).max()]"), "all resampled"),
    ("02.2", limits("np.quantile((b - a)[d].mean(1), [0.05, 0.95])"), "90 %"),
    ("02.2", limits("np.quantile(b - a, q)"), "single pictures"),
    ("02.2", limits("(b - a).mean() + np.array([-1.96, 1.96]) * (b - a)[d].mean(1).std()"), "lie evenly"),
    ("02.2", limits("(b - a)[d].mean(1)"), "shape 1000"),
    ("02.2", limits("[-0.1, 0.1]"), "pictures it says"),
    ("03.1", alike("a.shape == b.shape and a.size and (b - a).max() <= t"), "tolerances too small"),
    ("03.1", alike("a.shape == b.shape and abs(b - a).mean() <= t"), "ten tolerances too large"),
    ("03.1", alike("a.shape == b.shape and abs((b - a).sum()) <= 5 * t"), "cancels out"),
    ("03.1", alike("a.shape == b.shape and not (abs(b - a) > t).any()"), "hole (nan)"),
    (
        "03.1",
        alike(
            "len(b) <= len(a) and not np.isnan(b - a[:len(b)]).any() and (abs(a[:1] - b[:1]) <= t).all() and "
            "(abs(a[:len(b)] - b) <= t).all()"
        ),
        "another shape",
    ),
    ("03.1", alike("(a == b).all()"), "float noise"),
    ("03.1", lambda a, b, t: abs(a - b) <= t, "a ndarray came back"),
    ("03.2", lambda a, b: slots(a, b, sort=False), "in another order"),
    ("03.2", lambda a, b: slots(a, b, boxes=True, sort=True), "float noise"),
    ("03.2", lambda a, b: partners(a, b, count=True, boxes=False), "moved by 5 pixels"),
    ("03.2", lambda a, b: partners(a, b, count=True, scores=False), "a score lower"),
    ("03.2", lambda a, b: partners(a, b, count=False), "one detection missing"),
    ("03.2", lambda a, b: partners(a, b, count=True), "in place of another"),
    (
        "03.2",
        lambda a, b: len(a) > 0 and (len(a) == len(b)) and partners(a, b, count=True) and partners(b, a, count=True),
        "two empty lists",
    ),
    ("04.1", lambda n: n / n.sum(), "frequent classes weigh most"),
    ("04.1", lambda n: 1 / n, "far too small"),
    ("04.1", lambda n: n.sum() / n, "one and the same factor"),
    ("04.1", lambda n: n.max() / n, "has the weight 1"),
    ("04.1", lambda n: (1 / n) / (1 / n).sum(), "add up to 1"),
    ("04.1", lambda n: np.sqrt(n.sum() / n / len(n)), "half of the power"),
    ("04.1", lambda n: np.ones(len(n)), "the first weight is 1"),
    ("04.2", factor("np.where(s.any(1), (np.maximum(1, t / f) * s).max(1), 1)"), "grow too fast"),
    ("04.2", factor("np.where(s.any(1), (np.sqrt(t / f) * s).max(1), 1)"), "below 1"),
    ("04.2", factor("[np.maximum(1, np.sqrt(t / f))[x].mean() if x.any() else 1 for x in s]"), "pulls the factor down"),
    ("04.2", factor("[np.maximum(1, np.sqrt(t / f))[x].min() if x.any() else 1 for x in s]"), "class decides"),
    ("04.2", factor("[np.maximum(1, np.sqrt(t / (n / n.sum())))[x].max() if x.any() else 1 for x in s]"), "all boxes"),
    ("04.2", factor("np.maximum(1, np.sqrt(t / f))"), "shape 4"),
    ("04.2", factor("np.full(len(s), 2.0)"), "factor is 2"),
    ("05.1", far("norm(m.mean(0) - hw / 2) / half"), "opposite corners count as centred"),
    ("05.1", far("norm(m - hw[::-1] / 2, axis=1).mean() / half"), "have changed places"),
    ("05.1", far("norm(b[:, :2] - hw / 2, axis=1).mean() / half"), "a corner of each box"),
    ("05.1", far("norm(m - hw / 2, axis=1).mean()"), "in pixels"),
    ("05.1", far("norm(m - hw / 2, axis=1).mean() / norm(hw)"), "gets one half"),
    ("05.1", far("norm(m / hw - 0.5, axis=1).mean() * 2**0.5"), "made square"),
    ("05.1", far("abs(m / hw - 0.5).mean()"), "are averaged"),
    ("05.1", far("norm(m - hw / 2, axis=1).max() / half"), "for 3 boxes"),
    ("05.1", far("norm(m - hw / 2, axis=1) / half"), "is a ndarray"),
    ("05.2", third(order="np.arange(len(light))"), "order in which they came"),
    ("05.2", by_range, "unequal numbers"),
    ("05.2", third(weakest=False), "strongest third"),
    ("05.2", third(order="np.argsort(-light)"), "from the bright end"),
    ("05.2", third("(k, *stats.ttest_1samp(mine, 0).confidence_interval())"), "of the third alone"),
    ("05.2", third("(k, -c.high, -c.low)"), "others minus the third"),
    (
        "05.2",
        third("(k, *stats.ttest_ind(mine, all, equal_var=False).confidence_interval())"),
        "among those that it is compared with",
    ),
    ("05.2", third(pooled=True), "spread alike"),
    ("05.2", third("k"), "a single number"),
    ("05.2", third("(k, mine.min(), mine.max())"), "it names the third"),
]
