"""The whole base, read-only: figures by hand, one night whole or nothing, and not a customer in it."""

from __future__ import annotations

import json
import shutil
from datetime import date

import pandas as pd
import pytest

from custvalue import publish
from custvalue.app.effect import headline
from custvalue.app.effect.words import Words
from custvalue.app.web.campaign_effects import points, read_effects, told

from ..test_effect_report import make_report  # noqa: TID252 - tests are no package
from .reading import tables_in

DAY = date(2026, 1, 5)


def publish_night(output, day: date = DAY, run: str = "run1", *, force: bool = False, **columns: object):
    """A night of four customers: two gold ones, one of silver, one without a tier."""
    staging = publish.stage(output, run)
    rows = {
        "customer_id": ["K1", "K2", "K3", "K4"],
        "tier": ["gold", "gold", "silver", None],
        "region": ["west", "east", "east", "east"],
        "arpu": [100.0, 200.0, 80.0, 20.0],
        "probability": [0.02, 0.04, 0.10, 0.5],
        "value_at_stake": [10.0, 20.0, 30.0, 40.0],
        "decision": ["listed", "below", "below", "below"],
    }
    (staging / "scores.parquet").mkdir()
    pd.DataFrame(rows | columns).to_parquet(staging / "scores.parquet" / "part-00000.parquet", index=False)
    shares = [0.6, 0.4] if run == "run1" else [0.25, 0.75]
    whole = {"dimension": "all", "group": "all", "customers": 4, "named": 2, "named_share": 0.5, "leavers": [0.4, 0.26], "share": shares}
    pd.DataFrame({"reason": ["activity", "data_use"]} | whole).to_parquet(staging / "reasons_by_group.parquet", index=False)
    return publish.publish(output, as_of=day, run_id=run, staging=staging, lineage={}, force=force)


def write_monitoring(output, run: str, **changes: object) -> None:
    folder = output / "monitoring" / f"as_of={DAY}"
    folder.mkdir(parents=True)
    pairs = [
        ("gold", "gold", 7),
        ("silver", "gold", 3),
        ("gold", "silver", 2),
        (None, "silver", 4),
        ("gold", None, 1),
        ("unrated", "gold", 5),
    ]
    told = {
        "run_id": run,
        "before": "2026-01-04",
        "alerts": [{"rule": "night_is_behind", "metric": "night.days_behind", "value": 31.0, "message": "old"}],
        "findings": [{"code": "drift"}] * 3,
        "metrics": {},
        "tiers": [{"before": before, "after": after, "customers": count} for before, after, count in pairs],
    }
    (folder / "monitoring.json").write_text(json.dumps(told | changes), encoding="utf-8")


def write_effect(output, campaign: str, day: str = "2026-01-05", verdict: str = "works", **changes: object) -> None:
    folder = output / "effect" / campaign / f"as_of={day}"
    folder.mkdir(parents=True)
    estimate = {"value": -0.021, "low": -0.034, "high": -0.008}
    team = {"group": "north", "listed": 400, "held_out": 100, "effect": -0.02, "low": -0.05, "high": 0.01, "verdict": "cannot_conclude"}
    told = {
        "campaign": campaign,
        "as_of": day,
        "months": 3,
        "measured": {
            "left": estimate,
            "kept": {"value": 21.0, "low": 8.0, "high": 34.0},
            "judgement": {"verdict": verdict, "has": 1500, "needs": 9400, "detectable": 0.018},
        },
        "teams": {"quarter": [team | {"period": period} for period in ("2025-Q3", "2025-Q4")]},
    }
    (folder / "effect.json").write_text(json.dumps(told | changes), encoding="utf-8")


@pytest.fixture
def output(app):
    return app.state.site.config.output


def test_tiers_and_regions_hold_their_revenue_and_risk(output, browse):
    publish_night(output)
    text = browse("ana").get("/portfolio").text
    tiers, regions = tables_in(text)[:2]
    # gold: 300 of 400 a month, mean of 2 % and 4 %; the highest revenue first
    assert [list(row.values()) for row in tiers][:2] == [
        ["gold", "2", "75.0%", "¥300", "3.0%", "¥30"],
        ["silver", "1", "20.0%", "¥80", "10.0%", "¥30"],
    ]
    assert [(row["region"], row["customers"], row["share of revenue"]) for row in regions] == [
        ("east", "3", "75.0%"),
        ("west", "1", "25.0%"),
    ]
    assert "K1" not in text


def test_who_moved_is_counted_from_the_report_of_the_same_night(output, browse):
    publish_night(output)
    write_monitoring(output, "run1")
    text = browse("ana").get("/portfolio").text
    rows = {row["tier"]: list(row.values())[1:] for row in next(table for table in tables_in(text) if "came up" in table[0])}
    assert rows["gold"] == ["7", "3", "0", "5", "1"]  # three came up from silver; unrated is no step of the ladder
    assert rows["silver"] == ["0", "0", "2", "4", "0"]
    assert "1 alert(s), 3 finding(s)" in text
    assert "the newest published night is 31 day(s) old" in text
    zh = browse("ana")
    zh.get("/language/zh")
    assert "31" in zh.get("/portfolio").text.partition('<h2 id="health">')[2].partition("</ul>")[0]


def test_the_report_of_another_run_is_not_shown_beside_a_night(output, browse):
    publish_night(output)
    write_monitoring(output, "run0")
    text = browse("ana").get("/portfolio").text
    assert "No monitoring report of this night" in text
    assert "came up" not in text


def test_reasons_that_rose_since_a_month_ago(output, browse):
    publish_night(output, date(2025, 12, 1), "run1")
    publish_night(output, DAY, "run2")
    row = next(table for table in tables_in(browse("ana").get("/portfolio").text) if "rise, points" in table[0])
    assert [(each["share of the risk"], each["rise, points"]) for each in row] == [("75.0%", "+35.0")]  # 0.4 → 0.75


def test_a_new_edition_of_the_night_is_seen_at_once_and_whole(output, browse):
    publish_night(output)
    ana = browse("ana")
    assert "75.0%" in ana.get("/portfolio").text
    publish_night(output, run="run2", force=True, arpu=[0.0, 0.0, 60.0, 40.0])
    text = ana.get("/portfolio").text
    assert "60.0%" in text
    assert "75.0%" not in text.partition('id="reasons"')[0]


@pytest.mark.parametrize("damage", ["changed", "gone", "none"])
def test_a_night_that_cannot_be_read_is_not_shown_at_all(damage, output, browse):
    night = publish_night(output)
    part = night.folder / "scores.parquet" / "part-00000.parquet"
    if damage == "changed":
        part.write_bytes(part.read_bytes()[:-1] + b"x")
    elif damage == "gone":
        part.unlink()
    else:
        shutil.rmtree(output / "manifests")
    answer = browse("ana").get("/portfolio")
    assert answer.status_code == 200
    assert "No published night can be read" in answer.text
    assert "75.0%" not in answer.text
    assert str(output) not in answer.text


def test_an_effect_is_told_with_its_interval_or_that_nothing_can_be_concluded(output, browse):
    write_effect(output, "keep-gold")
    write_effect(output, "keep-gold", "2025-12-05", months=1)  # an older report of the same
    write_effect(output, "win-back", verdict="cannot_conclude")
    text = browse("ana").get("/portfolio").text
    assert "it kept 21 customers who would have left (95 % interval 8 to 34)" in text
    assert "-2.1 (-3.4 to -0.8)" in text
    assert "needs 9,400 customers, compared were 1,500" in text
    assert "1 months" not in text


@pytest.mark.parametrize("rates", [(0.06, 0.12), (0.12, 0.06), (0.06, 0.0605)])
@pytest.mark.parametrize("planned", [None, -0.0001, -0.05])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_campaign_is_judged_in_the_words_of_its_own_report(rates, planned, language, app, output):
    report = make_report(listed_rate=rates[0], held_out_rate=rates[1], planned=planned)
    folder = output / "effect" / "spring" / f"as_of={report.as_of}"
    folder.mkdir(parents=True)
    (folder / "effect.json").write_text(report.to_json(), encoding="utf-8")
    (effect,) = read_effects(output)
    assert told(effect, app.state.site.catalogue, language) == headline(report, Words(app.state.site.config, language))
    north = report.teams["quarter"].set_index("group").loc["north"]
    assert points(effect.team("north")) == pytest.approx((100 * north.effect, 100 * north.low, 100 * north.high))
    assert effect.team("west") is None


def test_a_damaged_effect_is_left_out(output, browse):
    write_effect(output, "keep-gold")
    (output / "effect" / "keep-gold" / "as_of=2026-01-05" / "effect.json").write_text("{", encoding="utf-8")
    assert "No campaign has been measured yet" in browse("ana").get("/portfolio").text


def test_the_team_s_effect_is_its_own_newest_quarter(output, browse):
    write_effect(output, "keep-gold")
    row = tables_in(browse("lea").get("/team").text)[-1][0]
    assert (row["campaign"], row["period"], row["verdict"]) == ("keep-gold", "2025-Q4", "cannot conclude")
    assert row["difference in leaving, points"] == "-2.0 (-5.0 to +1.0)"
    assert "Cannot conclude" in browse("sue").get("/team").text


@pytest.mark.parametrize(("user", "status"), [("ana", 200), ("lea", 200), ("adm", 200), ("ann", 403)])
def test_who_may_see_the_portfolio(user, status, browse):
    assert browse(user).get("/portfolio").status_code == status
