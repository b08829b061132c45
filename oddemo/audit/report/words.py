"""The words of a report: what a verdict, a stage, a status and a change in mAP mean, for terminal and HTML alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from oddemo.audit.compare import Comparison, StageResult
from oddemo.audit.diagnose import Cause
from oddemo.audit.faults.record import Fault
from oddemo.audit.faults.registry import fault
from oddemo.audit.verdict import Audit, DeltaMap

#: What a stage is.
STAGE_WORDS: Mapping[str, str] = {
    "image": "decoded picture",
    "pixels": "network input",
    "features": "feature maps",
    "heads": "raw network outputs",
    "decoded": "boxes before suppression",
    "detections": "boxes after suppression",
    "labels": "class names",
}
#: Sign and word of a status, so that nothing hangs on colour alone.
STATUS_WORDS: Mapping[str, tuple[str, str]] = {
    "equal": ("✓", "equal"),
    "differs": ("✗", "differs"),
    "not_compared": ("–", "not compared"),
}
#: Kind of candidate → what it is called, and what to do with its fix before the next audit.
_CANDIDATES: Mapping[str, tuple[str, str]] = {
    "savedmodel": ("export", "{fix}, export again, and run the audit again"),
    "tflite": ("export", "{fix}, export again, and run the audit again"),
    "python": ("script", "{fix} in the script, or in the export that it calls, and audit the script again"),
    "trace": ("recorded run", "{fix} where it was recorded, record again, and audit the new recording"),
}
_OTHER_CANDIDATE = ("candidate", "{fix}, and run the audit again")
VERDICT_SIGNS: Mapping[str, str] = {"faithful": "✓", "benign": "≈", "diverges": "✗", "unexplained": "?"}


@dataclass(frozen=True)
class VerdictWords:
    """A verdict for people.

    Attributes:
        sign: One sign.
        line: What was found, in one sentence.
        meaning: What follows from it.
        action: What to do now.
    """

    sign: str
    line: str
    meaning: str
    action: str


def verdict_words(audit: Audit) -> VerdictWords:
    """Put the verdict of an audit into words."""
    make = {"faithful": _faithful, "benign": _benign, "diverges": _diverges, "unexplained": _unexplained}
    return VerdictWords(VERDICT_SIGNS[audit.verdict], *make[audit.verdict](audit))


def _candidate(audit: Audit) -> tuple[str, str]:
    """Return what the candidate is called, and what to do with a fix of it."""
    return _CANDIDATES.get(audit.candidate.partition(":")[0], _OTHER_CANDIDATE)


def _faithful(audit: Audit) -> tuple[str, str, str]:
    comparison, (name, _) = audit.comparison, _candidate(audit)
    return (
        f"The {name} does what the reference does.",
        f"Every stage that both sides show ({', '.join(comparison.compared)}) is equal within tolerance on "
        f"{_all_pictures(comparison.images)}.",
        f"If the results are poor all the same, the reason lies in the data or the training, not in the {name}: look "
        "at the AP of each class (oddemo evaluate) and at the annotations (oddemo data check).",
    )


def _benign(audit: Audit) -> tuple[str, str, str]:
    first, (name, _) = audit.comparison.first_divergence, _candidate(audit)
    if all(audit.comparison.stage(stage).status == "equal" for stage in ("detections", "labels")):
        line = f"The {name} differs from the reference, first at {first}, but not in any detection."
        meaning = "Boxes, scores and names that come out are equal within tolerance."
    elif audit.causes and all(cause.id == "numeric_noise" for cause in audit.causes):
        line = f"The {name} differs from the reference by rounding alone."
        meaning = "Detections of equal score come out in another order; the boxes and scores themselves agree."
    else:
        line = f"The {name} differs from the reference, first at {first}, without a loss of mAP that matters."
        meaning = "The interval of the change in mAP holds 0 and rules out a loss of more than one point."
    return line, meaning, f"Nothing has to be changed. Keep this report beside the {name}."


def _diverges(audit: Audit) -> tuple[str, str, str]:
    known, (name, action) = [cause for cause in audit.causes if cause.verified], _candidate(audit)
    titles = "; ".join(fault(cause.id).title for cause in known)
    what = "the cause is known" if len(known) == 1 else f"{len(known)} causes are known"
    return (
        f"The {name} differs from the reference, first at {audit.comparison.first_divergence}, and {what}: {titles}.",
        f"Once the reference makes {'this mistake' if len(known) == 1 else 'these mistakes'} too, it gives what the "
        f"candidate gives, at every stage that both show, on {_all_pictures(audit.comparison.images)}. Nothing else is "
        f"wrong with the {name}.",
        f"{action.format(fix='Apply the fix' if len(known) == 1 else 'Apply the fix of every cause')}: the verdict "
        "should then be faithful, or benign if a difference is left that costs nothing.",
    )


def _unexplained(audit: Audit) -> tuple[str, str, str]:
    first, known = audit.comparison.first_divergence, sum(cause.verified for cause in audit.causes)
    name, _ = _candidate(audit)
    if audit.after is None:
        line = f"The {name} differs from the reference, first at {first}; the cause was not searched for."
        return line, "A search needs a reference that can be run under changed settings.", _SEARCH
    if not known:
        line = f"The {name} differs from the reference, first at {first}, and no known cause removes the difference."
        meaning = "Either the cause is not among those that oddemo knows, or several causes hide one another."
        return (
            line,
            meaning,
            f"Look for a difference in what happens up to {first}: every later stage only inherits it.",
        )
    what = "one verified cause explains" if known == 1 else f"{known} verified causes explain"
    left = audit.after.first_divergence
    return (
        f"The {name} differs from the reference, first at {first}; {what} only a part of it.",
        f"With {'it' if known == 1 else 'them'} taken on by the reference, a difference is left, first at {left}.",
        f"Mend what is verified and audit again; then look at what happens up to {left}.",
    )


_SEARCH = (
    "Give the reference as tfvision:DIR (params.yaml and checkpoint) or odapi:DIR (pipeline.config and checkpoint), "
    "and audit again."
)


def _all_pictures(count: int) -> str:
    return "the one picture" if count == 1 else f"all {count} pictures"


def pictures_differing(result: StageResult, images: int) -> str:
    """Return in how many pictures a stage differs, in words; empty where it does not."""
    return f"{result.differing_images} of {images} pictures" if result.status == "differs" else ""


def status_words(result: StageResult) -> tuple[str, str]:
    """Return sign and words of a stage's status; where it was not compared, the reason."""
    sign, word = STATUS_WORDS[result.status]
    return (sign, result.detail or word) if result.status == "not_compared" else (sign, word)


def shows_first_at(known: Fault, comparison: Comparison) -> str:
    """Return the stage at which a fault can be seen first, and whether this audit could look there."""
    until = "" if known.shows_until == known.shows_at else f" to {known.shows_until}, by its form"
    seen = comparison.stage(known.shows_at).status != "not_compared"
    return known.shows_at + until + ("" if seen else f" ({known.shows_at}: not compared here)")


def cause_sentence(cause: Cause) -> str:
    """Return the claim as a sentence about the candidate."""
    return f"The candidate {cause.claim.removesuffix('.')}."


def certainty(cause: Cause) -> str:
    """Return how sure a cause is."""
    return "verified" if cause.verified else "suspected, not verified"


def delta_words(delta: DeltaMap) -> tuple[str, str]:
    """Return the change in mAP in short, and what it means.

    Numbers carry a real minus sign, as in print.
    """
    short = f"{signed(delta.point)} (95 % interval {signed(delta.low)} to {signed(delta.high)})"
    sides = f"mAP {delta.reference:.3f} for the reference, {delta.candidate:.3f} for the candidate"
    pictures = f"{delta.images} pictures"
    if delta.low == delta.high == 0.0:
        return short, f"{sides}, on {pictures}: no change at all."
    if delta.low <= 0.0 <= delta.high:
        return short, f"{sides}, on {pictures}. The interval holds 0: a change of this size can be chance."
    what = "loss" if delta.point < 0.0 else "gain"
    return short, f"{sides}, on {pictures}. The interval leaves out 0: the {what} is no accident of these pictures."


def signed(value: float) -> str:
    """Return a number with three decimals and its sign; what rounds to zero has none."""
    rounded = f"{abs(value):.3f}"
    if float(rounded) == 0.0:
        return rounded
    return f"{'−' if value < 0.0 else '+'}{rounded}"
