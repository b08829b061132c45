"""Wrong answers to the exercises on comparing detectors in a stored study (09), as learners write them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats


def fit(formula: str, *, whole: Any = int) -> Any:
    """Steps by a formula of n steps, of a slope and a start each, and of a shorter and a longer training each."""

    def made(mine: Any, other: Any, n: int) -> Any:
        known = {"n": n, "mine": mine, "other": other}
        for name, one in (("m", mine), ("o", other)):
            short, long = sorted(one.tolist())
            slope = (long[1] - short[1]) / (long[0] - short[0])
            known |= {f"{name}_slope": slope, f"{name}_start": short[1] - slope * short[0]}
            known |= {f"{name}_short": short[1] / short[0], f"{name}_long": long[1] / long[0]}
            known |= {f"{name}_half": (long[1] - short[1]) / long[0], f"{name}_most": long[0]}
        return whole(eval(formula, known))

    return made


def compared(
    limits: str = "d.mean() + arm(d) * e",
    above: str = "low > 0",
    *,
    in_order: bool = True,
    name: str = "{}",
    share: float = 0.975,
    freedom: str = "len(d) - 1",
) -> Any:
    """Limits by a formula of values a and b, their difference d, and the ends e; the classes above zero by another."""

    def made(study: Any, world: str, condition: str, against: str) -> Any:
        runs = [one for one in study["runs"] if one["world"] == world]
        found, named = {}, []
        for key in [one for one in runs[0]["metrics"] if one.startswith("ap_")]:
            a, b = (
                np.array(
                    [
                        one["metrics"][key]
                        for one in sorted(runs, key=lambda one: in_order and one["seed"])
                        if one["condition"] == side
                    ]
                )
                for side in (condition, against)
            )
            d = a - b
            t = float(stats.t.ppf(share, eval(freedom, {"d": d})))
            known = {"a": a, "b": b, "d": d, "t": t, "e": np.array([-1, 1]), "np": np, "stats": stats}
            known["arm"] = lambda x, t=t: t * x.std(ddof=1) / len(x) ** 0.5
            low, high = eval(limits, known)
            found[name.format(key[3:])] = (low, high)
            if eval(above, {"low": low, "high": high}):
                named.append(key[3:])
        return found, named

    return made


def strangers(*, pooled: bool) -> Any:
    return compared(f"stats.ttest_ind(a, b, equal_var={pooled}).confidence_interval(0.95)")


def without(part: int) -> Any:
    return lambda *given: compared()(*given)[part]


MISTAKES: list[tuple[str, Any, str]] = [
    ("09.1", fit("n * o_slope / m_slope", whole=float), "parts of a step"),
    ("09.1", fit("n * o_slope / m_slope", whole=lambda steps: int(np.ceil(steps))), "last step does not fit"),
    ("09.1", fit("n * o_long / m_long"), "as if every step did it"),
    ("09.1", fit("n * o_short / m_short"), "starting up is counted"),
    ("09.1", fit("n * (o_short + o_long) / (m_short + m_long)"), "if every step"),
    ("09.1", fit("n * o_slope / m_slope + o_start / m_slope - m_start / m_slope"), "starts up within the time"),
    ("09.1", fit("(n * o_slope + o_start) / m_slope"), "off one of the two only"),
    ("09.1", fit("(n * o_slope - m_start) / m_slope"), "fills a part of the time"),
    ("09.1", fit("n * m_slope / o_slope"), "wrong way round"),
    ("09.1", fit("n * o_half / m_half"), "and steps are not"),
    ("09.1", fit("o_most * o_slope / m_slope"), "steps of a measured training"),
    ("09.1", fit("n * o_slope", whole=float), "that is a time"),
    ("09.1", fit("4 * n"), "steps of the other it says"),
    ("09.1", fit("[n]", whole=list), "is a list"),
    ("09.1", fit("n / mine[5, 0]"), "raised IndexError"),
    ("09.2", strangers(pooled=False), "as if they were strangers"),
    ("09.2", strangers(pooled=True), "the runs are compared"),
    ("09.2", compared("d.mean() + t * ((a.var(ddof=1) + b.var(ddof=1)) / len(d)) ** 0.5 * e"), "were strangers"),
    ("09.2", compared("a.mean() - b.mean() + (arm(a) + arm(b)) * e"), "two single intervals"),
    ("09.2", compared("a.mean() + arm(a) * e"), "one condition alone"),
    ("09.2", compared(in_order=False), "of different seeds"),
    ("09.2", compared("-d.mean() + arm(d) * e"), "`against` minus `condition`"),
    ("09.2", compared("d.mean() + t * d.std() / len(d) ** 0.5 * e"), "whole population"),
    ("09.2", compared("d.mean() + t * d.std(ddof=1) * e"), "of single seeds"),
    ("09.2", compared("d.mean() + t * d.std(ddof=1) / len(d) * e"), "shrink too fast"),
    ("09.2", compared("d.mean() + 1.96 * arm(d) / t * e"), "that of many seeds"),
    ("09.2", compared(freedom="len(d)"), "one degree of freedom too many"),
    ("09.2", compared(freedom="2 * len(d) - 2"), "for both sides"),
    ("09.2", compared(share=0.95), "hold 90 %"),
    ("09.2", compared("d.mean() + arm(d) / t * e"), "one standard error"),
    ("09.2", compared("100 * (d.mean() + arm(d) * e)"), "points of a hundred"),
    ("09.2", compared("d.min(), d.max()"), "slim, "),
    ("09.2", compared(above="low + high > 0"), "a mean above zero"),
    ("09.2", compared(above="low > 0 or high < 0"), "losses are named as well"),
    ("09.2", compared(above="high > 0"), "best end is a gain"),
    ("09.2", compared(above="high < 0"), "the losses are named"),
    ("09.2", compared(above="False"), "0 classes are named"),
    ("09.2", compared(name="ap_{}"), "belong to ap_"),
    ("09.2", compared("(d.mean(), low, high)"), "raised NameError"),
    ("09.2", without(0), "a dict came back"),
    ("09.2", without(1), "holds the limits"),
    ("09.2", lambda *given: (compared()(*given)[0], "crack"), "above zero are 'crack'"),
    ("09.2", lambda *given: (compared()(*given)[0], 1), "above zero are 1"),
    ("09.2", lambda *_: 0.1, "a float came back"),
    ("09.2", lambda *given: ({k: v[0] for k, v in compared()(*given)[0].items()}, []), "has the shape 5 × 1"),
]
