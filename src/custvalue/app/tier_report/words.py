"""The words of the tier report, in one language."""

from __future__ import annotations

from custvalue.config import Config, ready_configs
from custvalue.pipeline.tier_report import TierReport
from custvalue.tiers.measures.summary import LEAST_ANSWERS, LEAST_AT_RISK, LEAST_CUSTOMERS, SATISFIED_FROM, UNKNOWN, VERY_SATISFIED_FROM
from custvalue.tiers.segments.clustering import LEAST_AGREEMENT, LEAST_RECOVERY, LEAST_SHARE, MOST_BETWEEN
from custvalue.wording import Catalogue, load_catalogue

_SECTION, _SEGMENTS = "tier_report", "segments"


class ReportWords:
    """Gives words by name; a workspace whose wording is older than the report takes the ones shipped with the package.

    Parameters
    ----------
    config : Config
        Its wording.
    report : TierReport
        Its behavioural segments are named once.
    language : str
        ``en`` or ``zh``.
    """

    def __init__(self, config: Config, report: TierReport, language: str) -> None:
        self.language = language
        self.catalogue: Catalogue = load_catalogue(config.wording)
        complete = all(self.catalogue.names(section) for section in (_SECTION, _SEGMENTS))
        self._own = self.catalogue if complete else load_catalogue(ready_configs() / "wording")
        self._behaviours = report.segments.words(self._own, language)

    def __call__(self, name: str, /, **values: str) -> str:
        """Give an entry of the section ``tier_report``."""
        return self._own.label(f"{_SECTION}.{name}", self.language, **values)

    def group(self, dimension: str, name: str) -> str:
        """Name a group: a tier, a segment, a behaviour or a region; an operator's own name stands as it is."""
        if name == UNKNOWN:
            return self("unknown")
        if dimension == "behaviour":
            return self._behaviours.get(name, name)
        section = {"tier": "tiers", "segment": "values"}.get(dimension)
        return name if section is None else self.catalogue.label(f"{section}.{name}", self.language, default=name)

    def definitions(self, report: TierReport) -> list[str]:
        """Say what the report's figures mean, and what is missing."""
        month, there = f"{report.month:%Y-%m}", set(report.total.columns)
        said = [self("about_customers", day=str(report.as_of)), self("about_revenue", month=month)]
        if "profit_year" in there:
            said.append(self("about_profit"))
        if report.watch is not None:
            kinds = ", ".join(self(f"kind_{kind}") for kind in report.watch.kinds)
            days = {name: str(getattr(report.watch, name)) for name in ("since", "opens", "closes")}
            said.append(self("about_churn", kinds=kinds, **days))
        if "complaints" in there:
            said.append(self("about_complaints"))
        if "answers" in there:
            said.append(self("about_satisfaction", satisfied=str(SATISFIED_FROM), very=str(VERY_SATISFIED_FROM)))
        said.append(self._about_behaviour(report))
        limits = {"customers": LEAST_CUSTOMERS, "answers": LEAST_ANSWERS, "watched": LEAST_AT_RISK}
        said.append(self("about_hidden", **{name: str(value) for name, value in limits.items()}))
        return said + [self(f"note_{note.code}", **note.values) for note in report.notes]

    def _about_behaviour(self, report: TierReport) -> str:
        model = report.segments
        return self(
            "about_behaviour",
            label=model.label,
            day=str(model.fitted_as_of),
            customers=f"{model.customers:,}",
            agreement=str(LEAST_AGREEMENT),
            recovery=str(LEAST_RECOVERY),
            smallest=f"{LEAST_SHARE:.0%}",
            between=f"{MOST_BETWEEN:g}",
        )
