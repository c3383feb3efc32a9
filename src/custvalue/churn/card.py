"""The model card: what the model is for, what it learnt from, how good it is and for whom, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from custvalue.churn.evaluation import Interval
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.leakage import LeakageReport
from custvalue.churn.report import quality_rows
from custvalue.churn.slices import ALL, LEAST_LEAVERS, LEAVERS_ONLY, OTHERS, UNKNOWN, SliceQuality
from custvalue.churn.training import TrainedModel
from custvalue.config import Config
from custvalue.features import FeatureColumn
from custvalue.wording import Catalogue

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FAIRNESS = ("segment", "region", "age", "tenure")
_PLACES = ("region", "segment")
_EXAMPLES = 6


@dataclass(frozen=True)
class CardTable:
    """A table; the first `left` columns hold texts, and rows with the same first cell belong together where it is `grouped`."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    grouped: bool = False


@dataclass(frozen=True)
class Section:
    """A section of the card: a title, sentences, tables, and figures by name."""

    title: str
    texts: tuple[str, ...] = ()
    tables: tuple[CardTable, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ModelCard:
    """A card, ready to be written by `card_rendering`.

    Attributes
    ----------
    language, title, subtitle, headline : str
    sections : tuple of Section
    figures : dict
        Name → figure, for the sections that show one.
    """

    language: str
    title: str
    subtitle: str
    headline: str
    sections: tuple[Section, ...]
    figures: Mapping[str, Figure] = field(repr=False)


@dataclass(frozen=True)
class CardFacts:
    """All that a card tells of.

    Attributes
    ----------
    config : Config
        What was asked for; its language is the card's.
    model : TrainedModel
    frame : TrainingFrame
        The labelled snapshots.
    columns : sequence of FeatureColumn
        What the model learns from.
    slices : sequence of SliceQuality
    leakage : LeakageReport
    caveats : sequence of str
        What the source mapping says of its own data.
    tier_policy : str
        Label of the policy behind the slices by tier.
    consent_mapped : bool
        Whether the operator's tables tell who consents to the use of traffic data.
    figures : mapping
        Name → figure.
    """

    config: Config
    model: TrainedModel
    frame: TrainingFrame
    columns: Sequence[FeatureColumn]
    slices: Sequence[SliceQuality]
    leakage: LeakageReport
    caveats: Sequence[str]
    tier_policy: str
    consent_mapped: bool
    figures: Mapping[str, Figure]


def model_card(facts: CardFacts, catalogue: Catalogue) -> ModelCard:
    """Write the card in the config's language."""
    words = _Words(catalogue, facts.config.language)
    found, bundle = facts.model.evaluation, facts.model.bundle
    measures = found.metrics
    headline = words(
        "headline",
        rows=f"{found.rows:,}",
        leavers=f"{found.leavers:,}",
        rate=f"{found.base_rate:.1%}",
        auc=f"{measures['auc']:.3f}",
        lift=f"{measures['lift_capacity']:.1f}",
        excess=f"{measures['calibration_excess'].value:.4f}",
    )
    subtitle = words("subtitle", day=str(bundle.trained["as_of"]), code=bundle.versions["custvalue"], digest=bundle.digest[:12])
    sections = (
        _what(facts, words),
        Section(words("use"), (words("use_for"), words("use_lists"), words("use_not"))),
        _data(facts, words),
        _quality(facts, words),
        *_by_slice(facts, words),
        _columns(facts, words),
        Section(words("leakage"), tuple(facts.leakage.lines)),
        _limits(facts, words),
        Section(
            words("plots"), figures=tuple((name, words(f"plot_{name}", default=name)) for name in facts.figures if name != "calibration")
        ),
        _versions(facts, words),
    )
    return ModelCard(words.language, words("title", name=facts.config.name), subtitle, headline, sections, facts.figures)


@dataclass(frozen=True)
class _Words:
    """The card's labels in one language."""

    catalogue: Catalogue
    language: str

    def __call__(self, key: str, /, *, default: str | None = None, **values: str) -> str:
        return self.catalogue.label(f"card.{key}", self.language, default=default, **values)

    def group(self, dimension: str, value: str) -> str:
        """Name a slice's value: tiers, kinds and what is unknown have words, the rest is the data's own."""
        sections = {"tier": "tiers", "segment": "values"}
        section = "slices" if value in (ALL, UNKNOWN, OTHERS) or dimension == LEAVERS_ONLY else sections.get(dimension)
        return value if section is None else self.catalogue.label(f"{section}.{value}", self.language, default=value)

    def joined(self, items: Sequence[str]) -> str:
        """Put items into one sentence; they may hold commas of their own."""
        return ("; " if self.language == "en" else "；").join(items)

    def dimension(self, name: str) -> str:
        """Name a dimension."""
        return self.catalogue.label(f"slices.{name}", self.language, default=name)


def _what(facts: CardFacts, words: _Words) -> Section:
    churn = facts.config.churn
    kinds = ", ".join(words.group(LEAVERS_ONLY, kind) for kind in churn.kinds)
    text = words("what_text", kinds=kinds, gap=str(churn.gap_months), horizon=str(churn.horizon_months))
    return Section(words("what"), (text, words(f"what_treated_{churn.treated}")))


def _data(facts: CardFacts, words: _Words) -> Section:
    slices = facts.model.slices
    texts = [words("split", way=slices.way, why=slices.why)]
    texts += [words("dropped", count=f"{count:,}", reason=reason) for reason, count in facts.frame.dropped.items() if count]
    snapshots = [
        (f"{row['snapshot']:%Y-%m-%d}", f"{row['active']:,}", f"{row['leavers']:,}", f"{row['leavers'] / row['active']:.2%}")
        for row in facts.frame.describe().to_dict("records")
    ]
    parts = [
        (
            words(f"part_{part.name}", default=part.name),
            " – ".join(dict.fromkeys(str(day) for day in (part.snapshots[0], part.snapshots[-1]))),
            f"{part.rows.size:,}",
            f"{part.customers:,}",
            f"{part.leavers:,}",
        )
        for part in (*slices.parts, *([slices.refit] if slices.refit else []))
    ]
    headers = [words(name) for name in ("part", "snapshots", "rows", "customers", "left")]
    return Section(
        words("data"),
        tuple(texts),
        (
            CardTable(tuple(headers), tuple(parts), left=2),
            CardTable(tuple(words(name) for name in ("snapshot", "active", "left", "rate")), tuple(snapshots)),
        ),
    )


def _quality(facts: CardFacts, words: _Words) -> Section:
    rows = quality_rows(facts.model.evaluation, words.catalogue, words.language)
    table = CardTable(tuple(words(name) for name in ("measure", "value", "interval", "base")), tuple(rows))
    figures = (("calibration", words("plot_calibration")),) if "calibration" in facts.figures else ()
    return Section(words("quality"), (words("quality_text"), *facts.model.warnings), (table,), figures)


def _by_slice(facts: CardFacts, words: _Words) -> Iterator[Section]:
    tiers = [each for each in facts.slices if each.dimension in (ALL, "tier")]
    if len(tiers) > 1:
        texts = (words("calibration_text", policy=facts.tier_policy), *_too_small(tiers, words))
        yield Section(words("calibration"), texts, (_table(tiers, words, {"predicted": _rate, "observed": _rates, "ratio": _ratio}),))
    shown = {"auc": _three, "log_loss": _three, "lift_capacity": _one, "predicted": _rate, "observed": _rates}
    yield Section(words("slices"), (words("slices_text"), *_too_small(facts.slices, words)), (_table(facts.slices, words, shown),))
    groups = [each for each in facts.slices if each.dimension in (ALL, *_FAIRNESS)]
    if len(groups) > 1:
        text = words("fairness_text", share=f"{facts.config.churn.capacity_share:.0%}")
        table = _table(groups, words, {"selected": _rates, "reached": _rates, "ratio": _ratio})
        yield Section(words("fairness"), (text, *_too_small(groups, words)), (table,))


def _table(slices: Sequence[SliceQuality], words: _Words, shown: Mapping[str, Any]) -> CardTable:
    headers = [words(name) for name in ("dimension", "group", "rows", "left")]
    headers += [words("lift" if name == "lift_capacity" else name) for name in shown]
    rows = []
    for each in (each for each in slices if each.judged):
        told = (write(each.measures[name]) if name in each.measures else "–" for name, write in shown.items())
        group = "" if each.dimension == ALL else words.group(each.dimension, each.value)
        rows.append((words.dimension(each.dimension), group, f"{each.rows:,}", f"{each.leavers:,}", *told))
    return CardTable(tuple(headers), tuple(rows), left=2, grouped=True)


def _too_small(slices: Sequence[SliceQuality], words: _Words) -> tuple[str, ...]:
    """Name the slices that a table leaves out, with their rows that left and all their rows."""
    small = [
        f"{words.dimension(each.dimension)} {words.group(each.dimension, each.value)} ({each.leavers:,}/{each.rows:,})"
        for each in slices
        if not each.judged
    ]
    return (words("too_small", least=str(LEAST_LEAVERS), groups=words.joined(small)),) if small else ()


def _columns(facts: CardFacts, words: _Words) -> Section:
    used, consenting = facts.columns, [column for column in facts.columns if column.consent]
    texts = [words("columns_used", count=str(len(used)), examples=_examples(used, words))]
    if consenting:
        texts.append(words("columns_consent", count=str(len(consenting)), examples=_examples(consenting, words)))
    else:
        texts.append(words("columns_consent_unused" if facts.consent_mapped else "columns_no_consent"))
    places = [words.dimension(column.name) for column in used if column.name in _PLACES]
    if places:
        texts.append(words("columns_place", names=", ".join(places)))
    return Section(words("columns"), (*texts, words("columns_sensitive")))


def _limits(facts: CardFacts, words: _Words) -> Section:
    last = facts.model.slices["test"].snapshots[-1]
    return Section(words("limits"), (words("limit_cause"), words("limit_time", day=str(last)), words("limit_new"), *facts.caveats))


def _versions(facts: CardFacts, words: _Words) -> Section:
    bundle = facts.model.bundle
    rows = [
        (words("model_digest"), bundle.digest),
        (words("feature_spec"), bundle.feature_spec_hash),
        (words("tier_policy"), facts.tier_policy),
        (words("calibrator"), bundle.calibrator.kind),
        *((package, version) for package, version in bundle.versions.items()),
    ]
    return Section(words("versions"), tables=(CardTable((words("version_row"), words("version")), tuple(rows), left=2),))


def _examples(columns: Sequence[FeatureColumn], words: _Words) -> str:
    names = [column.en if words.language == "en" else column.zh for column in columns]
    return words.joined([*names[:_EXAMPLES], *(["…"] if len(names) > _EXAMPLES else [])])


def _rate(found: Interval) -> str:
    return f"{found.value:.2%}"


def _rates(found: Interval) -> str:
    return f"{found.value:.2%} [{100 * found.low:.2f}–{100 * found.high:.2f}]"


def _ratio(found: Interval) -> str:
    return f"{found:.2f}"


def _three(found: Interval) -> str:
    return f"{found:.3f}"


def _one(found: Interval) -> str:
    return f"{found:.1f}"
