"""The 360-degree mean and the behaviour score in plain Python, from DOMAIN sections 4 and 9 alone, in exact fractions.

Here: loops over answers. Not here: anything of kinerja_pipeline; the two programs meet only in a test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import floor

Said = tuple[str, str, str, Mapping[str, float]]
"""of whom, in which role, which response, what about each competency"""

SCALE = 5
STAFF = {"superior": Fraction(1, 2), "peer": Fraction(1, 2)}
LEADER = {"superior": Fraction(1, 2), "peer": Fraction(3, 10), "subordinate": Fraction(1, 5)}
MINIMUM = {"superior": 1, "peer": 3, "subordinate": 3, "self": 1}


def role_means(said: Iterable[Said], asked_subordinates: Mapping[str, int]) -> dict[tuple[str, str], Fraction | None]:
    """Mean of each role's answers about a person; None where too few raters answered, or too few of each competency."""
    raters: dict[tuple[str, str], set[str]] = defaultdict(set)
    marks: dict[tuple[str, str], dict[str, list[Fraction]]] = defaultdict(lambda: defaultdict(list))
    for nip, role, response, scores in said:
        for competency, score in scores.items():
            raters[nip, role].add(response)
            marks[nip, role][competency].append(Fraction(score))
    means: dict[tuple[str, str], Fraction | None] = {}
    for (nip, role), who in raters.items():
        needed = MINIMUM[role]
        if role == "subordinate":
            needed = max(needed, asked_subordinates.get(nip, 0))
        kept = [m for each in marks[nip, role].values() if len(each) >= MINIMUM[role] for m in each]
        means[nip, role] = sum(kept, Fraction()) / len(kept) if kept and len(who) >= needed else None
    return means


def behaviour_scores(
    means: Mapping[tuple[str, str], Fraction | None], leaders: Iterable[str], *, renormalise: bool
) -> dict[str, Fraction | None]:
    """Percent of the scale's maximum by person; None is pending."""
    scores: dict[str, Fraction | None] = {}
    for nip in {nip for nip, _ in means}:
        weights = LEADER if nip in set(leaders) else STAFF
        present = {role: mean for role in weights if (mean := means.get((nip, role))) is not None}
        if not present or (len(present) < len(weights) and not renormalise):
            scores[nip] = None
            continue
        total = sum(weights[role] for role in present)
        scores[nip] = sum((weights[r] * 100 * m / SCALE for r, m in present.items()), Fraction()) / total
    return scores


def behaviour_rating(score: Fraction) -> str:
    rounded = Fraction(floor(score * 100 + Fraction(1, 2)), 100)
    return "di_atas" if rounded >= 90 else "sesuai" if rounded >= 70 else "di_bawah"


def numeric_score(result: Fraction, behaviour: Fraction, *, others_counted: bool) -> Fraction:
    weight = Fraction(6, 10) if others_counted else Fraction(7, 10)
    return weight * result + (1 - weight) * behaviour
