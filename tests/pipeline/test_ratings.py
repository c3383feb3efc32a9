"""Ratings of six customers: kept once, played again, carried by nights; worked out by hand."""

from __future__ import annotations

import json
from datetime import date

import pandas as pd
import pytest

from custvalue import pipeline
from custvalue.errors import ConfigError, DataError, PublishError
from custvalue.pipeline.carrying import carried_rating
from custvalue.pipeline.ratings import current_policy, keep
from custvalue.pipeline.tiering import rate as rate_once

from .conftest import AS_OF, POLICY, RETENTION, tables, write

MAY, JUNE, JULY = date(2024, 5, 1), date(2024, 6, 1), date(2024, 7, 1)
# B is billed less and less, and would fall at the next rating but for the validity
FALLING = {1: 120.0, 2: 120.0, 3: 120.0, 4: 60.0, 5: 60.0, 6: 30.0}
STABLE = POLICY | {"stability": {"validity_months": 2}}


def silent(_: str) -> None:
    """Drop a log line."""


@pytest.fixture
def config(operator, tmp_path):
    bills = tables()["billing"]
    falls = bills.assign(revenue=[FALLING[month.month] if who == "B" else bill for who, month, bill in bills.itertuples(index=False)])
    made = operator(billing=falls)
    write(tmp_path / "tiers.yaml", STABLE)
    return made


@pytest.fixture
def opened(config, heard):
    return pipeline.check(config, AS_OF, reporter=heard)[0]


def rate(config, opened, as_of, **options) -> list:
    return list(pipeline.rate_days(config, opened, as_of, log=options.pop("log", silent), **options))


def tiers(rated) -> dict[str, str]:
    return dict(zip(rated.table["customer_id"].to_pylist(), rated.table["tier"].to_pylist(), strict=True))


def files(config) -> dict[str, tuple[bytes, int]]:
    found = (path for path in (config.output / "tiers").rglob("*") if path.is_file() and path.name != ".lock")
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_every_due_day_is_rated_from_the_one_before(config, opened):
    told = []
    rated = rate(config, opened, JULY, since=date(2024, 4, 2), log=told.append)
    assert [each.manifest.day for each in rated] == [MAY, JUNE, JULY]
    # means of 100, 80 and 50: gold is won in May, held in June by its validity, and lost when that is over
    assert [tiers(each)["B"] for each in rated] == ["gold", "gold", "silver"]
    assert rated[2].manifest.previous == JUNE
    assert rated[2].manifest.previous_digest == rated[1].manifest.digest
    assert [line for line in told if "rated by" in line][-1] == "2024-07-01: 5 customers rated by by-bill-v1 (3 of 3)"


def test_the_same_day_again_touches_nothing(config, opened, heard):
    (first,) = rate(config, opened, JULY)
    before = files(config)
    assert {"by-bill-v1.json", "2024-07-01.json", "2024-07-01.parquet"} == set(before)
    (again,) = rate(config, opened, JULY)
    assert (first.kept, again.kept) == (False, True)
    assert files(config) == before
    # rows that come later do not change what was known then: the rating is made again, and is the same
    rows = pd.read_parquet(config.sources.folder / "billing.parquet")
    pd.concat([rows, pd.DataFrame([("A", date(2024, 7, 1), 999.0)], columns=rows.columns)]).to_parquet(
        config.sources.folder / "billing.parquet", index=False
    )
    (later,) = rate(config, pipeline.check(config, AS_OF, reporter=heard)[0], JULY)
    assert later.kept
    assert files(config) == before


def test_one_by_one_or_in_one_pass_or_played_again_from_any_month(config, opened):
    rate(config, opened, JULY, since=MAY)
    whole = {name: content for name, (content, _) in files(config).items()}
    for day in (MAY, JUNE, JULY):
        rate(config, opened, day, again=True)
        assert {name: content for name, (content, _) in files(config).items()} == whole
    for path in (config.output / "tiers" / "by-bill" / "ratings").glob("2*"):
        path.unlink()
    for day in (MAY, JUNE, JULY):
        rate(config, opened, day)
    assert {name: content for name, (content, _) in files(config).items()} == whole


def test_another_result_is_refused_and_put_in_place_when_asked_for(config, opened, heard):
    rate(config, opened, JULY, since=MAY)
    before = files(config)
    rows = pd.read_parquet(config.sources.folder / "billing.parquet")
    rows.assign(revenue=rows.revenue.where(rows.customer_id != "A", 60.0)).to_parquet(
        config.sources.folder / "billing.parquet", index=False
    )
    mended = pipeline.check(config, AS_OF, reporter=heard)[0]
    with pytest.raises(PublishError, match=r"2024-06-01 is rated already, with another result.*--as-of 2024-06-01 --replay"):
        rate(config, mended, JUNE)
    assert files(config) == before
    again = rate(config, mended, JUNE, again=True)
    assert [each.manifest.day for each in again] == [JUNE, JULY]
    # gold was won in May on the old bills, and is valid for two months
    assert [tiers(each)["A"] for each in again] == ["gold", "silver"]
    assert current_policy(config).label == "by-bill-v1"


def test_a_day_before_a_kept_one_is_refused_but_for_a_replay(config, opened):
    rate(config, opened, JULY)
    with pytest.raises(PublishError, match=r"2024-07-01 is rated already, and would have to start from 2024-06-01.*--replay"):
        rate(config, opened, JUNE)
    assert [each.manifest.day for each in rate(config, opened, JUNE, again=True)] == [JUNE, JULY]


def test_no_rating_day_between(config, opened):
    with pytest.raises(ConfigError, match="by-bill-v1 rates on no day from 2024-06-02 to 2024-06-30"):
        rate(config, opened, date(2024, 6, 30), since=date(2024, 6, 2))


def test_a_rating_day_waits_for_late_feeds(config, heard):
    rows = pd.read_parquet(config.sources.folder / "billing.parquet")
    month = pd.to_datetime(rows.month)
    known = month + pd.offsets.MonthBegin(1)
    rows.assign(available_at=known.where(month != "2024-05-01", known + pd.Timedelta(days=3))).to_parquet(
        config.sources.folder / "billing.parquet", index=False
    )
    opened = pipeline.check(config, AS_OF, reporter=heard)[0]
    rated = rate(config, opened, JULY, since=MAY)
    assert [each.manifest.day for each in rated] == [MAY, date(2024, 6, 4), JULY]


def test_a_night_carries_the_rating_of_its_period(config, opened):
    rate(config, opened, JUNE)
    held = carried_rating(config, opened, date(2024, 6, 30), log=silent)
    assert (held.manifest.day, held.kept) == (JUNE, True)
    due = carried_rating(config, opened, JULY, log=silent)
    assert (due.manifest.day, due.kept, due.manifest.previous) == (JULY, False, JUNE)
    assert not (config.output / "tiers" / "by-bill" / "ratings" / "2024-07-01.json").exists()
    keep(config, due)
    assert carried_rating(config, opened, date(2024, 7, 20), log=silent).manifest.digest == due.manifest.digest


def test_nights_of_a_period_carry_the_same_whichever_comes_first(config, opened):
    late, early = (carried_rating(config, opened, date(2024, 6, day), log=silent) for day in (20, 3))
    assert late.manifest == early.manifest
    assert late.manifest.day == JUNE


def test_backfilled_in_any_order_nights_have_the_same_tiers_or_are_refused(config, opened):
    rate(config, opened, JULY, since=MAY)
    nights = [date(2024, 5, 9), date(2024, 6, 3), date(2024, 7, 1), date(2024, 6, 30)]
    forward = {night: tiers(keep(config, carried_rating(config, opened, night, log=silent))) for night in nights}
    backward = {night: tiers(keep(config, carried_rating(config, opened, night, log=silent))) for night in reversed(nights)}
    assert forward == backward
    # before the first rating of all: what came after did not start from it
    before = files(config)
    with pytest.raises(PublishError, match=r"2024-05-01 is rated already, and would have to start from 2024-04-01"):
        keep(config, carried_rating(config, opened, date(2024, 4, 20), log=silent))
    assert files(config) == before


def test_who_joined_after_the_rating_is_not_rated_yet(operator, heard, tmp_path):
    joined = pd.concat(
        [
            tables()["customers"],
            pd.DataFrame([{"customer_id": "G", "valid_from": date(2024, 6, 10), "joined_on": date(2024, 6, 10)}]),
        ]
    )
    config = operator(customers=joined)
    opened = pipeline.check(config, date(2024, 6, 30), reporter=heard)[0]
    rate(config, opened, JUNE)
    features = pipeline.build_features_at(config, date(2024, 6, 30), reporter=heard, tables=opened)
    held = pipeline.assign_tiers(config, date(2024, 6, 30), features, reporter=heard)
    found = held.frame.set_index("customer_id")
    assert found.tier.to_dict() == {"A": "gold", "B": "silver", "C": "silver", "D": "basic", "F": "unrated", "G": "unrated"}
    assert found.reason_code["G"] == "not_rated_yet"
    assert found.reason_code["F"] == "unrated_short_tenure"
    assert pd.isna(found.valid_from["G"])
    # C's complaint was opened after the rating: tonight's list must know
    assert found.care_priority.to_dict() == {"A": 0, "B": 0, "C": 2, "D": 0, "F": 0, "G": 0}
    assert heard.ended[-1][1]["text"].startswith("policy by-bill-v1, rated 2024-06-01: gold 1, silver 2")


def test_looking_at_tiers_stores_nothing_and_sees_what_would_be_kept(config, opened, heard):
    features = pipeline.build_features_at(config, AS_OF, reporter=heard)
    seen = pipeline.assign_tiers(config, AS_OF, features, reporter=heard)
    assert not config.output.exists()
    # from all features or from those that the policy reads
    assert carried_rating(config, opened, AS_OF, log=silent).table == seen.rated.table


def test_a_policy_edited_under_its_version_is_refused(config, opened, tmp_path):
    rate(config, opened, JUNE)
    write(tmp_path / "tiers.yaml", STABLE | {"tiers": ["gold", "silver", "bronze"]})
    with pytest.raises(ConfigError, match="by-bill-v1 is stored with another content"):
        rate(config, opened, JULY)
    (config.output / "tiers" / "by-bill-v1.json").unlink()
    with pytest.raises(ConfigError, match=r"by-bill-v1 rated 2024-06-01 with another content or other cuts.*raise the version"):
        rate(config, opened, JULY)


def test_a_new_version_begins_at_the_next_rating_and_the_nights_before_keep_the_old(config, opened, tmp_path):
    rate(config, opened, JUNE)
    write(tmp_path / "tiers.yaml", STABLE | {"version": 2, "tiers": ["gold", "silver", "bronze"]})
    told = []
    held = carried_rating(config, opened, date(2024, 6, 20), log=told.append)
    assert (held.policy.label, held.policy.tiers[-1]) == ("by-bill-v1", "basic")
    assert told == ["tiers are those that by-bill-v1 gave on 2024-06-01; by-bill-v2 begins at the next rating"]
    (new,) = rate(config, opened, JULY)
    assert (new.manifest.policy_version, new.manifest.previous_version) == ("by-bill-v2", "by-bill-v1")
    assert tiers(new)["D"] == "bronze"
    (config.output / "tiers" / "by-bill-v1.json").unlink()
    with pytest.raises(DataError, match=r"by-bill-v1.json: by-bill-v1 rated 2024-06-01, and cannot be read"):
        carried_rating(config, opened, date(2024, 6, 20), log=silent)


def test_a_policy_of_another_name_takes_over_the_tiers(config, opened, tmp_path):
    rate(config, opened, JUNE)
    write(tmp_path / "tiers.yaml", STABLE | {"name": "by-bill-and-more"})
    told = []
    (new,) = rate(config, opened, JULY, log=told.append)
    assert new.manifest.previous_version == "by-bill-v1"
    assert "by-bill-and-more-v1 takes over the tiers that by-bill-v1 gave on 2024-06-01" in told
    assert current_policy(config).label == "by-bill-and-more-v1"


def test_ratings_of_another_policy_in_the_folder(config, opened):
    rate(config, opened, JUNE)
    path = config.output / "tiers" / "by-bill" / "ratings" / "2024-06-01.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"policy_version": "other-v3"}))
    with pytest.raises(DataError, match="was made by other-v3, but this folder is for by-bill"):
        carried_rating(config, opened, date(2024, 6, 20), log=silent)


def test_a_damaged_rating_is_told_and_made_anew(config, opened):
    rate(config, opened, JULY, since=MAY)
    whole = {name: content for name, (content, _) in files(config).items()}
    path = config.output / "tiers" / "by-bill" / "ratings" / "2024-06-01.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    for attempt in (lambda: carried_rating(config, opened, date(2024, 6, 9), log=silent), lambda: rate(config, opened, JULY, since=MAY)):
        with pytest.raises(DataError, match=r"2024-06-01\.parquet: the rating is not what was written.*--as-of 2024-06-01 --replay"):
            attempt()
    rate(config, opened, JUNE, again=True)
    assert {name: content for name, (content, _) in files(config).items()} == whole


HISTORY = pd.DataFrame(
    [("A", date(2024, 3, 1), "gold", "old-v1"), ("B", date(2024, 3, 1), "gold", "old-v1")],
    columns=["customer_id", "valid_from", "tier", "policy_version"],
)


def test_the_first_rating_starts_from_the_operator_s_history(operator, heard):
    told = []
    ahead = pd.concat([HISTORY, pd.DataFrame([("D", AS_OF, "gold", "old-v1")], columns=HISTORY.columns)])
    config = operator(tier_history=ahead)
    opened = pipeline.check(config, AS_OF, reporter=heard)[0]
    (first,) = rate(config, opened, AS_OF, log=told.append)
    assert first.manifest.started_from == "tier_history"
    assert tiers(first)["B"] == "gold"  # another policy gave it: by the default transition the higher of old and new
    assert tiers(first)["D"] == "basic"  # begins on the day itself
    assert "tier_history: 1 row(s) begin on 2024-07-01 or later and are not yet anybody's tier" in told
    assert json.loads((config.output / "tiers" / "by-bill" / "ratings" / "2024-07-01.json").read_text())["started_from"] == "tier_history"


def test_a_customer_with_two_current_tiers_in_the_history(operator, heard):
    twice = pd.concat([HISTORY, HISTORY.head(1).assign(tier="silver")])
    with pytest.raises(DataError, match=r"tier_history.*key comes twice in 2 row\(s\)"):
        pipeline.check(operator(tier_history=twice), AS_OF, reporter=heard)


def test_nobody_is_active_on_the_day(operator, heard):
    left = pd.DataFrame([(who, date(2024, 6, 1), "voluntary") for who in "ABCDEF"], columns=["customer_id", "left_on", "kind"])
    config = operator(departures=left)
    with pytest.raises(DataError, match="no customer is active at 2024-07-01"):
        rate(config, pipeline.check(config, AS_OF, reporter=heard)[0], AS_OF)


def test_retention_s_metric_is_among_the_facts(config, opened):
    metric = RETENTION.get("value", {}).get("metric", "revenue_mean_3m")
    (rated,) = rate(config, opened, JULY, also=(metric, "region", "absent"))
    assert {"customer_id", "revenue_mean_3m", "tenure_months"} <= set(rated.facts.columns)


def test_a_feature_that_is_not_built_is_told_with_those_that_are(config, opened, tmp_path):
    rules = {"bill": POLICY["rules"]["bill"] | {"components": {"arpu": {"metric": "revenue_mean_12m", "points_per_unit": 1.0}}}}
    write(tmp_path / "tiers.yaml", STABLE | {"rules": rules})
    with pytest.raises(ConfigError, match=r"'revenue_mean_12m' is not in the feature table. \d\d number features.*revenue_mean_1m"):
        rate(config, opened, JULY)
    assert not config.output.exists()


def test_replayed_in_memory_the_ratings_are_those_that_are_stored(config, opened):
    stored = rate(config, opened, JULY, since=MAY)
    policy = current_policy(config)
    played = []
    for day in (MAY, JUNE, JULY):
        facts = pipeline.tier_facts(config, opened, day, [policy])
        policy, table = rate_once(policy, facts, day, previous=played[-1] if played else None)
        played.append(table)
    assert played == [each.table for each in stored]


def test_what_policies_read_is_the_same_however_many_customers_are_computed_at_once(config, opened, monkeypatch):
    policy = current_policy(config)
    wanted = {"also": ["region", "revenue_mean_3m", "tenure_months"]}
    whole = pipeline.tier_facts(config, opened, JULY, [policy], **wanted).to_pandas().sort_values("customer_id", ignore_index=True)
    monkeypatch.setattr("custvalue.pipeline.tiering._AT_ONCE", 2)
    parts = pipeline.tier_facts(config, opened, JULY, [policy], **wanted).to_pandas().sort_values("customer_id", ignore_index=True)
    assert len(whole) == 5
    pd.testing.assert_frame_equal(parts, whole)
