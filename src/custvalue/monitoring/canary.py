"""Is tonight like last night, and like what the model was trained on? Asked before a night is published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from custvalue.config import MonitoringConfig
from custvalue.monitoring.bins import CategoryBins
from custvalue.monitoring.findings import Finding, Severity
from custvalue.monitoring.profile import Profile
from custvalue.monitoring.psi import Stability, discoveries, merge_counts, share_p_value, stability
from custvalue.monitoring.reference import Reference
from custvalue.monitoring.scores import bin_probabilities, score_groups
from custvalue.monitoring.usual import Usual

NIGHT, TRAINING = "night", "training"
SCORE_GROUPS = 10
"""Scores are compared in groups of about equal size, as is usual for the index."""


@dataclass(frozen=True)
class Comparison:
    """One column of a night beside another night's, or training's.

    Attributes
    ----------
    column : str
        Empty for the score.
    against : str
        `NIGHT` or `TRAINING`.
    stability : Stability
        Of the values that are known.
    known : float
        Share of the customers whose value is known and was seen in training, the mean of both sides.
    missing, missing_before : float
        Shares of the customers.
    missing_p_value : float
        Chance of so large a change of that share where nothing changed.
    unseen : float
        Share of the customers with a level that training never saw.
    """

    column: str
    against: str
    stability: Stability
    known: float = 1.0
    missing: float = 0.0
    missing_before: float = 0.0
    missing_p_value: float = 1.0
    unseen: float = 0.0

    @property
    def size(self) -> float:
        """The index above its noise, times the share of the customers whom it is about."""
        return self.stability.excess * self.known


def canary(now: Profile, before: Profile | None, reference: Reference | None, limits: MonitoringConfig) -> list[Finding]:
    """Find what is beyond its limit tonight.

    A drift is told where it is larger than a limit and than what is usual from day to day (`Reference.usual`), and hardly chance: of the
    columns that a night tells of, a share of at most ``limits.false_alarms`` is. Against the night before, whose customers are nearly the
    same, chance moves less than that, so fewer false alarms than this are to be expected.

    Gross faults, for which a night must not be published, are those of `score_shift`, `scores_stuck`, `drift` of categories, `missing` and
    `unseen` beyond their ``…_refuse`` limits. A change of model since the night before may well move the scores, so it only alerts.

    Parameters
    ----------
    now : Profile
        Tonight's customers.
    before : Profile or None
        Of the night published last, if there is one.
    reference : Reference or None
        Of the model that scored tonight, if it has one.
    limits : MonitoringConfig

    Returns
    -------
    list of Finding
        Gross faults first, then the largest excess over a limit.
    """
    compared = compare(now, before, reference, limits)
    found = [
        *_score_findings(now, before, reference, compared, limits),
        *_drifts(compared, reference, limits),
        *_missing(compared, limits, refuse_against=TRAINING if before is None else NIGHT),
        *_unseen(now, reference, limits),
    ]
    return sorted(found, key=lambda each: (each.severity != "refuse", bool(each.column), -each.figure / each.limit))


def compare(now: Profile, before: Profile | None, reference: Reference | None, limits: MonitoringConfig) -> list[Comparison]:
    """Put every column, and the score, beside the night before and beside training, as far as they can be compared.

    Columns are compared with a night only where the same reference counted both. Of fewer than ``limits.least_customers`` nothing is
    compared.
    """
    sides: list[tuple[str, Profile, int | None]] = []
    if before is not None:
        sides.append((NIGHT, before, None))
    if reference is not None:
        sides.append((TRAINING, reference.profile, reference.customers))
    return [
        each
        for against, other, customers in sides
        if min(now.rows, other.rows if customers is None else customers) >= limits.least_customers
        for each in _beside(now, other, against, customers, reference)
    ]


def expected_rate(profile: Profile) -> float:
    """Share of the customers that their scores expect to leave; NaN for nobody."""
    return float(profile.scores @ bin_probabilities() / profile.rows) if profile.rows else float("nan")


def _beside(now: Profile, other: Profile, against: str, customers: int | None, reference: Reference | None) -> Iterator[Comparison]:
    group = score_groups(other.scores, SCORE_GROUPS)
    scores = (merge_counts(profile.scores, group) for profile in (now, other))
    yield Comparison("", against, stability(*scores, independent=customers))
    if reference is None or not now.reference == other.reference == reference.id:
        return
    rows = float(other.rows if customers is None else customers)
    for name, bins in reference.bins.items():
        category = isinstance(bins, CategoryBins)
        known_bins = slice(-2 if category else -1)  # missing and unseen values are told by themselves
        ours, theirs = now.columns[name][known_bins], other.columns[name][known_bins]
        known = None if customers is None else max(round(customers * int(theirs.sum()) / other.rows), 0)
        shares = now.missing(name) / now.rows, other.missing(name) / other.rows
        yield Comparison(
            column=name,
            against=against,
            stability=stability(ours, theirs, ordered=not category, independent=known),
            known=float(ours.sum() / now.rows + theirs.sum() / other.rows) / 2,
            missing=shares[0],
            missing_before=shares[1],
            missing_p_value=share_p_value(now.missing(name), now.rows, round(shares[1] * rows), rows),
            unseen=float(now.columns[name][-2]) / now.rows if category else 0.0,
        )


def _score_findings(
    now: Profile, before: Profile | None, reference: Reference | None, compared: Sequence[Comparison], limits: MonitoringConfig
) -> Iterator[Finding]:
    others = {NIGHT: before, TRAINING: reference.profile if reference is not None else None}
    for each in compared:
        other = others[each.against]
        if each.column or other is None:
            continue
        same_model = each.against == TRAINING or now.reference == other.reference
        figures = {"now": f"{expected_rate(now):.2%}", "before": f"{expected_rate(other):.2%}"}
        if each.stability.excess > limits.score_alert and each.stability.p_value <= limits.false_alarms:
            severity, limit = _graded(each.stability.excess, limits.score_alert, limits.score_refuse, may_refuse=same_model)
            yield Finding("score_shift", severity, "", each.against, each.stability.excess, limit, figures)
        stuck, was = (float(profile.scores.max()) / max(profile.rows, 1) for profile in (now, other))
        if stuck > limits.stuck_refuse >= was:
            yield Finding("scores_stuck", "refuse", "", each.against, stuck, limits.stuck_refuse, {"before": f"{was:.0%}"})


def _drifts(compared: Sequence[Comparison], reference: Reference | None, limits: MonitoringConfig) -> Iterator[Finding]:
    for against, least in {NIGHT: limits.drift_alert, TRAINING: limits.drift_alert_training}.items():
        columns = [each for each in compared if each.column and each.against == against]
        for each, real in zip(columns, discoveries([each.stability.p_value for each in columns], limits.false_alarms), strict=True):
            limit = max(least, limits.usual_times * getattr(_usual(reference, each.column), against))
            if real and each.size > limit and reference is not None:
                category = isinstance(reference.bins[each.column], CategoryBins)
                severity, limit = _graded(each.size, limit, max(limit, limits.category_refuse), may_refuse=category)
                yield Finding("drift", severity, each.column, against, each.size, limit)


def _missing(compared: Sequence[Comparison], limits: MonitoringConfig, *, refuse_against: str) -> Iterator[Finding]:
    for against, least in {NIGHT: limits.missing_alert, TRAINING: limits.missing_alert_training}.items():
        # what training never knew (a table kept for the last months alone) no model has learnt from
        columns = [each for each in compared if each.column and each.against == against and (against == NIGHT or each.missing_before < 1)]
        for each, real in zip(columns, discoveries([each.missing_p_value for each in columns], limits.false_alarms), strict=True):
            change = each.missing - each.missing_before
            if real and abs(change) > least:
                rises = change > 0 and against == refuse_against
                severity, limit = _graded(change, least, limits.missing_refuse, may_refuse=rises)
                figures = {"now": f"{each.missing:.0%}", "before": f"{each.missing_before:.0%}"}
                yield Finding("missing", severity, each.column, against, abs(change), limit, figures)


def _unseen(now: Profile, reference: Reference | None, limits: MonitoringConfig) -> Iterator[Finding]:
    if reference is None or now.reference != reference.id or now.rows < limits.least_customers:
        return
    for name, bins in reference.bins.items():
        share = float(now.columns[name][-2]) / now.rows if isinstance(bins, CategoryBins) else 0.0
        if share > limits.unseen_alert:
            severity, limit = _graded(share, limits.unseen_alert, limits.unseen_refuse)
            yield Finding("unseen", severity, name, TRAINING, share, limit, {"levels": ", ".join(now.examples.get(name, ()))})


def _usual(reference: Reference | None, column: str) -> Usual:
    return Usual() if reference is None else reference.usual.get(column, Usual())


def _graded(figure: float, alert: float, refuse: float, *, may_refuse: bool = True) -> tuple[Severity, float]:
    return ("refuse", refuse) if may_refuse and figure > refuse else ("alert", alert)
