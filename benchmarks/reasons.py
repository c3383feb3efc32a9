"""Reasons: do they name what really drives customers away, stay the same from night to night, and cost little.

Run ``python benchmarks/reasons.py [--customers N] [--seed S] [--rows R]``: one simulated operator, one model. Reasons are held against the
drivers that the simulator keeps in ``truth/``, beside the same three reasons for everybody, and beside sampled Shapley values
(`shap.KernelExplainer`) of R customers. Then consecutive nights, and the time beside the same work row by row.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from reasons_by_row import reasons_of

import custvalue
from custvalue.churn import train_model, training_frame
from custvalue.config import ready_configs
from custvalue.explain import LAST_RESORT, explain, load_wording, weights_by_reason
from custvalue.explain.choosing import Speech
from custvalue.features import build_features
from custvalue.simulate import simulate
from custvalue.wording import Facts

MONTHS, TRAINED_AT, NIGHT = 24, date(2025, 9, 1), date(2025, 12, 1)
STEADY = [date(2025, 11, 10) + timedelta(days=day) for day in range(4)]
ZONE = {"time_zone": "Asia/Shanghai"}
SAMPLES = 300
CLEAR, STRONG_SYMPTOM, LATELY = 0.2, 0.3, 3
"""Log-odds above the base's mean from which a driver counts; symptom from which use shows intent; months since intent began."""

NAMES: dict[str, set[str]] = {
    "near_expiry": {"contract", "lifecycle"},
    "in_contract": {"contract"},
    "bundle": {"contract", "products"},
    "complaint": {"complaint"},
    "repeat": {"complaint"},
    "log_tenure": {"tenure", "lifecycle"},
    "price_rise": {"bill", "plan", "price", "overage", "discount", "discount_end"},
    "neighbour": {"household", "account"},
}
"""Driver of the hidden intent → reasons that name it."""

GROUPS = {"driven": "Whom known drivers push most, without intent yet", "turning": "Whose intent began in the last three months"}
SYMPTOMS = {
    "bill",
    "data_use",
    "voice_use",
    "sms_use",
    "activity",
    "silence",
    "services",
    "complaint",
    "plan_change",
    "bill_query",
    "balance",
}
"""Reasons that name what intent, once there, makes customers do."""


@dataclass(frozen=True)
class Night:
    """What is known of one night's customers, and what the model makes of it."""

    facts: pd.DataFrame
    contributions: np.ndarray


class Operator:
    """A simulated operator and the model trained on it."""

    def __init__(self, folder: Path, customers: int, seed: int) -> None:
        self.folder = folder
        simulate(folder, customers=customers, months=MONTHS, seed=seed)
        tell("simulated")
        named = dict.fromkeys(("workspace", "output", "tier_policy", "retention_policy", "wording"), folder)
        keys = {"name": "reasons", "sources": {"folder": folder}, "churn": {"bootstrap": 50}, **ZONE}
        self.config = custvalue.Config.model_validate(keys | named)
        self.tables = custvalue.open_tables(folder, ZONE)
        frame, columns, spec = training_frame(self.tables, TRAINED_AT, self.config.churn, self.config.features)
        model = train_model(frame, columns, self.config.churn, as_of=TRAINED_AT, feature_spec_hash=spec)
        self.bundle, self.columns = model.bundle, list(columns)
        self.catalogue = load_wording(ready_configs() / "wording")
        tell("trained")

    def night(self, day: date) -> Night:
        """Build a night's features and contributions."""
        built = build_features(self.tables.known(day), self.tables.moment(day), self.config.features, delay_days=self.tables.delay_days)
        facts = built.table.order_by("customer_id").to_pandas()
        night = Night(facts, self.bundle.contributions(facts))
        tell(f"night {day}: {len(facts):,} customers")
        return night

    def codes(self, contributions: np.ndarray, facts: pd.DataFrame) -> list[list[str]]:
        """Codes of the reasons that are said, best first; plain facts and the last resort are no reasons."""
        found = explain(contributions, facts, self.columns, self.catalogue, currency="CNY", as_of=NIGHT).table["reason_codes"]
        return [[] if row[0] == LAST_RESORT else row for row in found.to_pylist()]

    def truth(self, facts: pd.DataFrame, group: str) -> pd.DataFrame:
        """Say what is true of a group of customers.

        ``driven`` are the tenth of those without intent whom known drivers push most to it in the month that begins; ``turning`` are those
        whose intent began in the last months, judged by the drivers of that time. Columns are ``named`` (reasons that name a driver clearly
        above the base's mean), ``first`` (those that name the strongest one) and ``symptom``.
        """
        states = pq.read_table(self.folder / "truth" / "states.parquet").to_pandas()
        drivers = pq.read_table(self.folder / "truth" / "drivers.parquet").to_pandas()
        last = pd.Timestamp(NIGHT) - pd.DateOffset(months=1)
        now = states[(pd.to_datetime(states.month) == last) & states.customer_id.isin(facts.customer_id)]
        now = now[now.intent & now.intent_months.between(1, LATELY)] if group == "turning" else now[~now.intent]
        told = []
        for months, own in now.groupby(now.intent_months if group == "turning" else np.zeros(len(now))):
            rows = drivers[pd.to_datetime(drivers.month) == last - pd.DateOffset(months=int(months))].set_index("customer_id")[[*NAMES]]
            told.append((rows - rows.mean()).reindex(own.customer_id).dropna())
        above = pd.concat(told)
        if group == "driven":
            above = above[above.sum(axis=1) >= above.sum(axis=1).quantile(0.9)]
        clear = [{name: value for name, value in own.items() if value > CLEAR} for own in above.to_dict("records")]
        named = [set[str]().union(*(NAMES[name] for name in own)) for own in clear]
        first = [NAMES[max(own, key=own.__getitem__)] if own else set() for own in clear]
        found = pd.DataFrame({"customer_id": above.index, "named": named, "first": first})
        return found.merge(now[["customer_id", "symptom"]], on="customer_id")


def faithfulness(operator: Operator, night: Night, group: str, rows: int, seed: int) -> pd.DataFrame:
    """Hold the reasons of each way against the truth, for a group of customers and for a sample of it the slow way."""
    truth = operator.truth(night.facts, group)
    places = pd.Index(night.facts.customer_id).get_indexer(truth.customer_id)
    facts, exact = night.facts.iloc[places].reset_index(drop=True), night.contributions[places]
    everybody = np.abs(night.contributions).mean(axis=0)[None, :].repeat(len(facts), axis=0)
    codes, weights = weights_by_reason(everybody[:1], operator.columns, operator.catalogue)
    same = [codes[place] for place in np.argsort(-weights[0])[:3]]
    sample = np.random.default_rng(seed).permutation(len(truth))[:rows]
    slow = sampled_values(operator, night.facts, facts.iloc[sample], seed)
    few = truth.iloc[sample]
    return pd.DataFrame(
        [
            judged("the same three for everybody: " + ", ".join(same), truth, [same] * len(truth)),
            judged("the strongest for everybody that are true of the customer", truth, operator.codes(everybody, facts)),
            judged("custvalue: each customer's own, exact", truth, operator.codes(exact, facts)),
            judged(f"each customer's own, KernelExplainer, {len(few)} of them", few, operator.codes(slow, facts.iloc[sample])),
            judged(f"custvalue, the same {len(few)}", few, operator.codes(exact[sample], facts.iloc[sample])),
        ]
    )


def judged(way: str, truth: pd.DataFrame, found: list[list[str]]) -> dict[str, object]:
    """Count how many of the reasons said are true, and how often the strongest driver is among them."""
    said = named = shown = 0
    told = truth.assign(found=found)
    for row in told.itertuples():
        true = row.named | (SYMPTOMS if row.symptom > STRONG_SYMPTOM else set())
        said, named, shown = said + len(row.found), named + len(row.named & {*row.found}), shown + len(true & {*row.found})
    driven = told[told["first"].map(bool)]
    hits = sum(bool(first & {*codes}) for first, codes in zip(driven["first"], driven.found, strict=True))
    return {
        "reasons": way,
        "customers": f"{len(truth):,}",
        "said a customer": f"{said / len(truth):.2f}",
        "precision@3: a true driver": f"{named / said:.1%}",
        "precision@3: a driver, or what intent makes them do": f"{shown / said:.1%}",
        "strongest driver is named": f"{hits / len(driven):.1%} of {len(driven):,}",
    }


def sampled_values(operator: Operator, base: pd.DataFrame, facts: pd.DataFrame, seed: int) -> np.ndarray:
    """Shapley values of the reasons by sampling: a reason that is left out takes the values of ten other customers."""
    import shap

    logging.getLogger("shap").setLevel(logging.ERROR)
    reasons = sorted({column.reason for column in operator.columns})
    of = {reason: [column.name for column in operator.columns if column.reason == reason] for reason in reasons}
    others = base.sample(10, random_state=seed).reset_index(drop=True)
    values = np.zeros((len(facts), len(operator.columns) + 1))
    first = {reason: next(at for at, column in enumerate(operator.columns) if column.reason == reason) for reason in reasons}
    for at in range(len(facts)):
        own = facts.iloc[[at]]

        def scores(masks: np.ndarray, own: pd.DataFrame = own) -> np.ndarray:
            mixed = pd.concat([others] * len(masks), ignore_index=True)
            for place, reason in enumerate(reasons):
                taken = np.repeat(masks[:, place] > 0, len(others))
                for name in of[reason]:
                    mixed[name] = mixed[name].where(~taken, own[name].iloc[0])
            return operator.bundle.raw(mixed).reshape(len(masks), len(others)).mean(axis=1)

        explainer = shap.KernelExplainer(scores, np.zeros((1, len(reasons))))
        found = explainer.shap_values(np.ones((1, len(reasons))), nsamples=SAMPLES, silent=True)[0]
        for place, reason in enumerate(reasons):
            values[at, first[reason]] = found[place]
        if at % 20 == 0:
            tell(f"KernelExplainer: {at} of {len(facts)}")
    return values


def stability(operator: Operator) -> pd.DataFrame:
    """Follow the reasons of everybody through consecutive nights."""
    told: list[dict[str, object]] = []
    before: tuple[pd.Series, pd.DataFrame] | None = None
    for day in STEADY:
        night = operator.night(day)
        codes, _ = weights_by_reason(night.contributions[:1], operator.columns, operator.catalogue)
        speech = Speech(operator.catalogue, codes, frozenset(night.facts.columns))
        facts = Facts.of_frame(night.facts, speech.facts)
        true = speech.fitting(facts, "risk", np.ones((facts.rows, len(speech.codes))))
        warnings = pd.DataFrame(true, index=night.facts.customer_id)
        said = pd.Series([tuple(codes) for codes in operator.codes(night.contributions, night.facts)], index=night.facts.customer_id)
        if before is not None:
            both = said.index.intersection(before[0].index)
            changed = (said[both] != before[0][both]).to_numpy()
            steady = (warnings.loc[both] == before[1].loc[both]).all(axis=1).to_numpy()
            told.append(
                {
                    "night": f"{day}",
                    "customers": f"{len(both):,}",
                    "every true warning as the night before": f"{steady.mean():.1%}",
                    "of these, other reasons or another order": f"{changed[steady].mean():.2%}",
                    "of all, other reasons or another order": f"{changed.mean():.2%}",
                }
            )
        before = said, warnings
    return pd.DataFrame(told)


def speed(operator: Operator, night: Night, rows: int) -> pd.DataFrame:
    """Time the words of many customers at once beside one customer after the other; both must say the same."""
    given = {"columns": operator.columns, "catalogue": operator.catalogue, "currency": "CNY", "as_of": NIGHT}
    began = time.perf_counter()
    found = explain(night.contributions, night.facts, **given)
    columnar = len(night.facts) / (time.perf_counter() - began)
    few = min(rows, len(night.facts))
    began = time.perf_counter()
    codes, weights = weights_by_reason(night.contributions[:few], operator.columns, operator.catalogue)
    head = night.facts.head(few).astype(object)
    records = head.where(head.notna(), None).to_dict("records")
    one_by_one = [
        reasons_of(dict(zip(codes, own, strict=True)), facts, NIGHT) for own, facts in zip(weights.tolist(), records, strict=True)
    ]
    by_row = few / (time.perf_counter() - began)
    same = [[(reason.code, reason.en, reason.zh) for reason in own] for own in found[:few]] == one_by_one
    return pd.DataFrame(
        [
            {"way": "row by row in plain Python", "customers": f"{few:,}", "customers a second": f"{by_row:,.0f}", "ratio": "1"},
            {
                "way": "custvalue" + ("" if same else " (OTHER WORDS)"),
                "customers": f"{len(night.facts):,}",
                "customers a second": f"{columnar:,.0f}",
                "ratio": f"{columnar / by_row:.0f}",
            },
        ]
    )


def tell(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.perf_counter() - _BEGAN:5.0f} s  {text}", file=sys.stderr, flush=True)


def show(title: str, table: pd.DataFrame) -> None:
    """Print a Markdown table."""
    print(f"\n**{title}**\n")
    print("| " + " | ".join(table.columns) + " |")
    print("| --- |" + " ---: |" * (table.shape[1] - 1))
    for row in table.itertuples(index=False):
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the tables, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=20_000, help="simulated customers (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=200, help="customers that KernelExplainer explains (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        operator = Operator(Path(folder) / "data", told.customers, told.seed)
        night = operator.night(NIGHT)
        show("Speed of the words", speed(operator, night, 2_000))
        show("Stability", stability(operator))
        for group, title in GROUPS.items():
            show(title, faithfulness(operator, night, group, told.rows, told.seed))
    return 0


_BEGAN = time.perf_counter()

if __name__ == "__main__":
    sys.exit(main())
