"""The tier report of an operator whose figures can be worked out by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
import yaml

from custvalue import pipeline
from custvalue.config import load_config, ready_configs
from custvalue.pipeline.tier_report import tier_report
from custvalue.sources import add_months

AS_OF = date(2024, 7, 1)
SINCE = date(2024, 4, 1)
NORTH, SOUTH = ([f"{side}{place:02d}" for place in range(60)] for side in ("n", "s"))
MONTHS = [add_months(date(2024, 1, 1), place) for place in range(6)]


def frames():
    """Sixty in the north with bills of 200, sixty in the south with 30; six of the south left by port-out, one of the north for debts."""
    joined = date(2022, 5, 10)
    customers = pd.DataFrame(
        [
            {"customer_id": who, "valid_from": joined, "joined_on": joined, "segment": segment, "region": region}
            for group, segment, region in ((NORTH, "consumer", "north"), (SOUTH, "enterprise", None))
            for who in group
        ]
    )
    bills = pd.DataFrame(
        [
            {"customer_id": who, "month": month, "revenue": bill, "cost": cost}
            for group, bill, cost in ((NORTH, 200.0, 50.0), (SOUTH, 30.0, 10.0))
            for who in group
            for month in MONTHS
        ]
    )
    # a month that copies the one before is refused: one customer's bill and cost rise by 1 a month
    growing = bills.customer_id == "n10"
    for name in ("revenue", "cost"):
        bills.loc[growing, name] += pd.Series(range(len(MONTHS)), index=bills.index[growing])
    bills.loc[(bills.customer_id == "s59") & (bills.month == MONTHS[-1]), "cost"] = None
    left = [(who, date(2024, 6, 10), "port_out") for who in SOUTH[:6]] + [("n59", date(2024, 6, 11), "non_payment")]
    complaints = [
        ("n00", "2024-05-02", "billing"),
        ("n00", "2024-05-09", None),
        ("n01", "2023-06-15", "network"),
        ("n02", "2024-05-03", "Cancellation"),
    ]
    surveys = [(who, score) for who, score in zip(NORTH[:40], [10] * 10 + [7] * 10 + [6] * 10 + [None] * 10, strict=True)]
    surveys += [(who, 9 if place < 10 else None) for place, who in enumerate(SOUTH[20:40])]
    return {
        "customers": customers,
        "billing": bills,
        "departures": pd.DataFrame(left, columns=["customer_id", "left_on", "kind"]),
        "complaints": pd.DataFrame(
            [
                {
                    "complaint_id": str(place),
                    "customer_id": who,
                    "opened_at": pd.Timestamp(day),
                    "closed_at": pd.Timestamp(day),
                    "category": category,
                }
                for place, (who, day, category) in enumerate(complaints)
            ]
        ),
        "surveys": pd.DataFrame(
            [
                {
                    "survey_id": str(place),
                    "customer_id": who,
                    "asked_at": pd.Timestamp("2024-03-04"),
                    "answered_at": pd.Timestamp("2024-03-05") if score else pd.NaT,
                    "score": score,
                }
                for place, (who, score) in enumerate(surveys)
            ]
        ).astype({"score": "Int64"}),
    }


POLICY = {
    "name": "by-bill",
    "version": 1,
    "source": "made for these tests",
    "tiers": ["gold", "silver", "basic"],
    "rules": {
        "bill": {
            "components": {"arpu": {"metric": "revenue_mean_3m", "points_per_unit": 1.0}},
            "cuts": {"kind": "thresholds", "at_least": {"gold": 100, "silver": 50}},
        }
    },
}


def written(folder, tables):
    """Write tables and a config for them."""
    (folder / "data").mkdir()
    for name, rows in tables.items():
        rows.to_parquet(folder / "data" / f"{name}.parquet", index=False)
    (folder / "tiers.yaml").write_text(yaml.safe_dump(POLICY))
    content = {"sources": {"folder": "data"}, "tier_policy": "tiers.yaml", "features": {"windows": [1, 3]}}
    content |= {"churn": {"gap_months": 1, "horizon_months": 2}, "retention_policy": str(ready_configs() / "retention" / "default.yaml")}
    (folder / "two.yaml").write_text(yaml.safe_dump(content))
    return load_config(folder / "two.yaml")


class Silent:
    """A reporter whom nobody hears."""

    def start(self, step):
        pass

    def note(self, text):
        pass

    def done(self, step, text, **facts):
        pass


def reported(config, *, since=None):
    heard = Silent()
    tables, _ = pipeline.check(config, AS_OF, reporter=heard)
    *_, rated = pipeline.rate_days(config, tables, AS_OF, since=since, log=heard.note)
    return tier_report(config, AS_OF, tables=tables, rated=rated, reporter=heard)


def row(report, by, **group):
    frame = report.by[by]
    for name, value in group.items():
        frame = frame[frame[name] == value]
    return frame.iloc[0]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return written(tmp_path_factory.mktemp("two"), frames())


@pytest.fixture(scope="module")
def report(config):
    return reported(config, since=SINCE)


def test_customers_and_money_by_tier(report):
    gold, basic = row(report, ("tier",), tier="gold"), row(report, ("tier",), tier="basic")
    assert (gold.customers, basic.customers) == (59, 54)
    assert (gold.revenue_month, gold.revenue_year) == (59 * 200 + 5, 59 * 1200 + 15)
    assert (gold.profit_month, gold.profit_year) == (59 * 150, 59 * 900)
    assert gold.revenue_share == pytest.approx(70_815 / (70_815 + 54 * 180))
    assert gold.arpu == pytest.approx(11_805 / 59)
    assert basic.profit_month == 53 * 20
    assert basic.profit_year == 54 * 120 - 20
    assert [note.code for note in report.notes] == ["bills_without_cost", "one_segment"]
    assert report.notes[0].values["unknown"] == "1"


def test_a_tier_that_nobody_has_keeps_its_place(report):
    assert list(report.by[("tier",)].tier) == list(report.tiers) == ["gold", "silver", "basic", "unrated"]
    assert row(report, ("tier",), tier="silver").customers == 0


def test_departures_are_those_of_the_customers_of_the_day_the_window_looks_from(report):
    """Window (2024-05-01, 2024-07-01]: whoever left for debts is neither a leaver nor a stayer."""
    assert (report.watch.since, report.watch.opens, report.watch.closes) == (SINCE, date(2024, 5, 1), AS_OF)
    assert report.watch.tiers == "rating"
    gold, basic = row(report, ("tier",), tier="gold"), row(report, ("tier",), tier="basic")
    assert (gold.watched, gold.left, gold.churn) == (59, 0, 0)
    assert (basic.watched, basic.left, basic.churn) == (60, 6, 0.1)
    assert report.total.churn.iloc[0] == pytest.approx(6 / 119)


def test_complaints_of_a_year_without_those_that_announce_a_departure(report):
    assert row(report, ("segment",), segment="consumer").complaints == 2
    assert row(report, ("segment",), segment="consumer").complaints_per_1000 == pytest.approx(2000 / 59)
    assert row(report, ("segment",), segment="enterprise").complaints == 0


def test_satisfaction_and_who_answered(report):
    gold, basic = row(report, ("tier",), tier="gold"), row(report, ("tier",), tier="basic")
    assert (gold.asked, gold.answers, gold.satisfied, gold.very_satisfied) == (40, 30, 20, 10)
    assert (gold.satisfaction, gold.very_satisfied_share, gold.answer_rate) == (pytest.approx(2 / 3), pytest.approx(1 / 3), 0.75)
    assert (basic.answers, basic.answer_rate) == (10, 0.5)
    assert pd.isna(basic.satisfaction)


def test_an_unknown_region_is_a_group(report):
    assert set(report.by[("region",)].region) == {"north", "unknown"}
    assert row(report, ("tier", "region"), tier="basic", region="unknown").customers == 54


def test_groups_add_up_to_everybody(report):
    for by, frame in report.by.items():
        for name in ("customers", "watched", "revenue_year"):
            if name in frame.columns:
                assert frame[name].sum() == report.total[name].iloc[0], (by, name)


def test_without_earlier_tiers_departures_are_told_by_the_other_groups_alone(tmp_path):
    report = reported(written(tmp_path, frames()))
    assert report.watch.tiers == "nothing"
    assert "no_earlier_tiers" in [note.code for note in report.notes]
    assert "churn" not in report.by[("tier",)].columns
    assert row(report, ("segment",), segment="enterprise").churn == 0.1


def test_the_operators_own_tiers_stand_in_for_earlier_ratings(tmp_path):
    tiers = pd.DataFrame(
        [{"customer_id": who, "valid_from": date(2024, 1, 1), "tier": "vip" if who in SOUTH else "gold"} for who in [*NORTH, *SOUTH[:50]]]
    )
    report = reported(written(tmp_path, frames() | {"tier_history": tiers}))
    assert report.watch.tiers == "tier_history"
    assert "operators_tiers" in [note.code for note in report.notes]
    assert list(report.tiers) == ["gold", "silver", "basic", "unrated", "vip", "unknown"]
    assert row(report, ("tier",), tier="vip").churn == pytest.approx(6 / 50)
    assert row(report, ("tier",), tier="unknown").watched == 10


def test_what_is_not_mapped_is_told(tmp_path):
    given = frames()
    given["billing"] = given["billing"].drop(columns="cost")
    del given["surveys"]
    report = reported(written(tmp_path, given), since=SINCE)
    assert {"no_cost", "no_surveys"} <= {note.code for note in report.notes}
    assert not {"profit_year", "satisfaction"} & set(report.total.columns)


def test_no_window_is_over_yet(tmp_path):
    given = frames()
    given["billing"] = given["billing"][given["billing"].month >= date(2024, 4, 1)]
    report = reported(written(tmp_path, given))
    assert report.watch is None
    assert next(note.code for note in report.notes) == "no_window"
    assert "churn" not in report.total.columns


def test_the_same_day_again_gives_the_same_report(config, report):
    again = reported(config, since=SINCE)
    assert report.segments == again.segments
    for by, frame in report.by.items():
        pd.testing.assert_frame_equal(frame, again.by[by])
