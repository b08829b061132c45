"""Small classifiers of vectors that balance in different ways: another limit, weights, vectors repeated or made.

SMOTE draws new vectors on the lines between neighbours of a class. Whatever makes or repeats vectors does it while the
classifier learns, never on what it is measured with: imbalanced-learn's pipeline sees to that.
"""

from __future__ import annotations

from typing import Any

from oddemo.errors import OddemoError

#: Way of balancing → the same in words.
WAYS = {
    "plain": "left as it is",
    "limit": "the limit moved",
    "weighted": "weights in the loss",
    "repeated": "vectors repeated",
    "smote": "new vectors by SMOTE",
}
#: Neighbours between which SMOTE draws; a class needs one vector more than that.
NEIGHBOURS = 5


def balanced_classifier(way: str, *, seed: int) -> Any:
    """Return a logistic regression on scaled vectors that balances its classes in one of the ways.

    `limit` leaves the learning alone: from which probability on the rare class is said is found by folds of what is
    learnt from, where the others say it from one half on.

    Args:
        way: One of `WAYS`.
        seed: Of what is drawn while it learns.

    Returns:
        An unfitted estimator with `fit`, `predict` and `predict_proba`.

    Raises:
        OddemoError: If there is no such way.
    """
    from imblearn.over_sampling import SMOTE, RandomOverSampler
    from imblearn.pipeline import make_pipeline
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import TunedThresholdClassifierCV
    from sklearn.preprocessing import StandardScaler

    if way not in WAYS:
        raise OddemoError("There is no such way of balancing.", expected=", ".join(WAYS), found=repr(way))
    samplers = {
        "repeated": RandomOverSampler(random_state=seed),
        "smote": SMOTE(k_neighbors=NEIGHBOURS, random_state=seed),
    }
    weights = "balanced" if way == "weighted" else None
    steps = [StandardScaler(), *([samplers[way]] if way in samplers else [])]
    whole = make_pipeline(*steps, LogisticRegression(class_weight=weights, max_iter=2000))
    if way != "limit":
        return whole
    return TunedThresholdClassifierCV(whole, scoring="balanced_accuracy", random_state=seed)
