"""Two or three changes at once: where no single one removes a difference, build on those that lessen it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from oddemo.audit.faults.record import Evidence, Hypothesis
from oddemo.audit.search import Search

#: Partial improvements, each of another fault, from which pairs are built, and pairs, from which threes are.
BEAM = 4
#: Hypotheses from this rank on are costly, or fit much: as a second change they are tried after the others, on the most
#: helpful improvements, and only if they were not seen to help nothing by themselves.
COSTLY, COSTLY_BEAM = 2, 2
#: A second change that leaves at most this part of what the first left does much.
MUCH = 0.5

Changes = tuple[Hypothesis, ...]


def best_of_each_fault(hypotheses: Iterable[Hypothesis]) -> list[Hypothesis]:
    """Return the first hypothesis of each fault: near values of one threshold would leave no room for other faults."""
    first: dict[str, Hypothesis] = {}
    for hypothesis in hypotheses:
        first.setdefault(hypothesis.fault, hypothesis)
    return list(first.values())


@dataclass(frozen=True)
class Attempt:
    """A hypothesis that was tried.

    Attributes:
        left: What is left of the difference under it.
        hypothesis: The change.
    """

    left: float
    hypothesis: Hypothesis


@dataclass(eq=False)
class Together:
    """The search for changes that only remove a difference together.

    Attributes:
        search: Runs hypotheses.
        evidence: What was seen, and the settings that all changes start from.
        stage: Where the difference is.
        propose: Returns (rank, hypothesis) that fit some evidence, cheap ones first.
        alone: What each change does by itself; none of them removes the difference.
        start: The difference as it is.
    """

    search: Search
    evidence: Evidence
    stage: str
    propose: Callable[[Evidence], list[tuple[int, Hypothesis]]]
    alone: Sequence[Attempt]
    start: float

    def __post_init__(self) -> None:
        self._alone = {_key(one.hypothesis): one for one in self.alone}

    def explain(self, others: Callable[[], Sequence[Hypothesis]]) -> Changes:
        """Return the fewest changes that remove the difference, up to three; none if there are none.

        Three are seen where a script decodes in its own way as well.

        Args:
            others: Asked for more changes to begin with, most helpful first, if no pair is found.
        """
        ranked = sorted(self.alone, key=lambda attempt: attempt.left)
        helpful = best_of_each_fault(one.hypothesis for one in ranked if one.left < self.start)[:BEAM]
        begun = [(one,) for one in helpful]
        solution, pairs = self._longer(begun)
        if solution:
            return solution
        seen = {one.settings for one in helpful}
        solution, other_pairs = self._longer([(one,) for one in others() if one.settings not in seen][:BEAM])
        if solution:
            return solution
        solution, costly_pairs = self._longer(begun[:COSTLY_BEAM], costly=True)
        solution = solution or self._turned_round([*pairs, *other_pairs, *costly_pairs], begun)
        for begun_with_two in (pairs, other_pairs):
            solution = solution or self._longer([one.changes for one in begun_with_two])[0]
        return solution

    def _turned_round(self, pairs: Sequence[_Grown], begun: Sequence[Changes]) -> Changes:
        """Take the second of two that do much together first: of its first, a nearly right value was chosen."""
        chosen = {_key(changes[0]) for changes in begun}
        second: dict[tuple[str, str], Changes] = {}
        for pair in sorted(pairs, key=lambda pair: pair.left):
            key = _key(pair.changes[-1])
            if pair.left <= MUCH * pair.before and key in self._alone and key not in chosen:
                second.setdefault(key, (self._alone[key].hypothesis,))
        return self._longer(list(second.values())[:BEAM])[0]

    def _longer(self, begun: Sequence[Changes], *, costly: bool = False) -> tuple[Changes, list[_Grown]]:
        """Add one change to each; return a solution, or the most helpful ones of different faults."""
        longer: list[_Grown] = []
        for changes in begun:
            found = self._one_more(changes, costly)
            if found and found[-1].left == 0.0:
                return found[-1].changes, []
            longer += [grown for grown in found if grown.left < grown.before]
        best: dict[frozenset[str], _Grown] = {}
        for grown in sorted(longer, key=lambda grown: grown.left):
            best.setdefault(frozenset(one.fault for one in grown.changes), grown)
        return (), list(best.values())[:BEAM]

    def _one_more(self, changes: Changes, costly: bool) -> list[_Grown]:
        """Return what each further change leaves of the difference; a solution ends the list."""
        search, settings, named = self.search, changes[-1].settings, {one.fault for one in changes}
        reference = search.run(search.pictures, settings, self.stage)
        before = search.distance(settings, self.stage)
        found: list[_Grown] = []
        for rank, further in self.propose(replace(self.evidence, settings=settings, reference=reference)):
            if (rank >= COSTLY) == costly and further.fault not in named and not (costly and self._is_useless(further)):
                left = search.attempt(further, self.stage)
                found.append(_Grown(before, left, (*changes, further)))
                if left == 0.0:
                    break
        return found

    def _is_useless(self, hypothesis: Hypothesis) -> bool:
        alone = self._alone.get(_key(hypothesis))
        return alone is not None and alone.left >= self.start


@dataclass(frozen=True)
class _Grown:
    """Changes, and what is left of the difference before and after the last of them."""

    before: float
    left: float
    changes: Changes


def _key(hypothesis: Hypothesis) -> tuple[str, str]:
    return hypothesis.fault, hypothesis.claim
