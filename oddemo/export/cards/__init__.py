"""Contract cards: what an artefact promises, read statically. No TensorFlow is imported, nothing is executed."""

from oddemo.export.cards.card import (
    FACTS,
    ContractCard,
    Danger,
    Fact,
    Signature,
    TensorSpec,
    WeightSummary,
    card_from_json,
)
from oddemo.export.cards.compare_weights import WeightComparison, compare_weights
from oddemo.export.cards.diff import Difference, diff_artefacts, diff_cards
from oddemo.export.cards.read import read_card

__all__ = [
    "FACTS",
    "ContractCard",
    "Danger",
    "Difference",
    "Fact",
    "Signature",
    "TensorSpec",
    "WeightComparison",
    "WeightSummary",
    "card_from_json",
    "compare_weights",
    "diff_artefacts",
    "diff_cards",
    "read_card",
]
