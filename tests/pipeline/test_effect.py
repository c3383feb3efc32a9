"""A campaign from the published nights to its verdict: who counts, from when, and what became of him, by hand."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from custvalue import publish
from custvalue.errors import ConfigError, DataError
from custvalue.pipeline.effect import effect_report
from custvalue.pipeline.exposures import follow, published_until, read_exposures
from custvalue.sources import open_tables

FIRST, SECOND, AS_OF = date(2024, 3, 1), date(2024, 3, 15), date(2024, 7, 10)
LISTED, HELD_OUT = 900, 300


def customer(number):
    return f"C{number:05d}"


def rows(numbers, *, campaign="spring", **columns):
    frame = pd.DataFrame({"customer_id": [customer(number) for number in numbers]})
    frame = frame.assign(unit="customer:" + frame.customer_id, campaign=campaign, stratum="gold/customer", tier="gold", manager_id="M1")
    return frame.assign(**columns)


def publish_night(output, day, listed, would_be, base=()):
    staging = publish.stage(output, f"run-{day}")
    listed.to_parquet(staging / "lists.parquet", index=False)
    if would_be is not None:
        would_be.to_parquet(staging / "would_be.parquet", index=False)
    (staging / "scores.parquet").mkdir()
    base = pd.DataFrame({"customer_id": list(base)}).assign(retention_policy="plain-v1")
    base.to_parquet(staging / "scores.parquet" / "part-00000.parquet", index=False)
    publish.publish(output, as_of=day, run_id=f"run-{day}", staging=staging, lineage={})


def bills(numbers, months, amount=60.0):
    return pd.DataFrame(
        [(customer(number), month, amount) for number in numbers for month in months], columns=["customer_id", "month", "revenue"]
    )


MONTHS = [date(2024, month, 1) for month in range(1, 7)]


@pytest.fixture
def campaign(operator):
    """900 listed, 90 of whom left; 300 held out, 60 of whom left; 400 more of whom nobody thought, 4 left."""
    everybody = range(LISTED + HELD_OUT + 400)
    gone = [*range(90), *range(LISTED, LISTED + 60), *range(LISTED + HELD_OUT, LISTED + HELD_OUT + 4)]
    config = operator(
        customers=pd.DataFrame(
            [{"customer_id": customer(n), "valid_from": date(2022, 1, 1), "joined_on": date(2022, 1, 1)} for n in everybody]
        ),
        billing=bills(everybody, MONTHS),
        departures=pd.DataFrame([(customer(n), date(2024, 4, 20), "voluntary") for n in gone], columns=["customer_id", "left_on", "kind"]),
        contacts=pd.DataFrame(
            [
                (f"K{n}", customer(n), pd.Timestamp(2024, 3, 5), True, n % 2 == 0, "accepted" if n % 10 == 0 else "refused")
                for n in range(LISTED)
            ],
            columns=["contact_id", "customer_id", "contacted_at", "randomised", "reached", "outcome"],
        ),
    )
    listed = rows(range(LISTED), reason_codes=[["bill_drop"]] * LISTED, contact_cost=2.0, offer_cost=10.0)
    would_be = rows(range(LISTED, LISTED + HELD_OUT), reason_code="bill_drop", arm=["universal"] * 50 + ["holdout"] * 250)
    base = [customer(n) for n in everybody]
    publish_night(config.output, FIRST, listed, would_be, base)
    publish_night(config.output, SECOND, rows([0, 1]), rows([LISTED]), base)  # they are known already
    return config


def test_a_campaign_is_compared_from_the_nights_to_the_verdict(campaign, heard):
    report = effect_report(campaign, "spring", AS_OF, months=2, reporter=heard)
    found = report.measured
    assert (found.listed, found.held_out, report.universal) == (900, 300, 50)
    assert (found.left_listed, found.left_held_out) == pytest.approx((0.1, 0.2))
    error = np.sqrt(0.1 * 0.9 / 899 + 0.2 * 0.8 / 299)
    assert found.left.error == pytest.approx(error)
    assert found.kept.value == pytest.approx(90)
    assert found.judgement.verdict == "works"
    assert found.reached == 0.5
    assert found.complier.value == pytest.approx(-0.2)
    assert (found.money.contacts, found.money.offers) == (900 * 2.0, 90 * 10.0)
    assert found.naive.others.value == pytest.approx(0.1 - 4 / 400)
    assert found.groups.set_index("dimension")["group"].to_dict() == {"tier": "gold", "reason_code": "bill_drop"}
    assert (report.nights, report.policies) == ((FIRST, SECOND), ("plain-v1",))
    assert heard.ended[-1][1]["verdict"] == "works"


def test_the_report_is_plain_json_without_customers(campaign, heard):
    report = effect_report(campaign, "spring", AS_OF, months=2, reporter=heard)
    told = json.loads(report.to_json())
    assert told["metrics"]["left"] == pytest.approx(-0.1)
    assert told["measured"]["judgement"]["verdict"] == "works"
    assert customer(0) not in report.to_json()
    assert all(np.isfinite(value) for value in report.metrics.values())


def test_whoever_was_listed_first_and_held_out_later_stays_listed_and_is_counted(campaign):
    publish_night(campaign.output, date(2024, 3, 20), rows([LISTED]), rows([0]), [customer(0)])
    exposed = read_exposures(published_until(campaign.output, AS_OF), "spring")
    assert exposed.changed == 2
    first = exposed.frame.set_index("customer_id")
    assert first.loc[customer(0), "listed"]
    assert not first.loc[customer(LISTED), "listed"]
    assert set(exposed.frame["night"]) == {FIRST}


def test_nights_after_the_day_and_other_campaigns_do_not_count(campaign):
    publish_night(campaign.output, date(2024, 6, 1), rows([1500], campaign="summer"), rows([1501], campaign="summer"))
    nights = published_until(campaign.output, date(2024, 5, 31))
    assert [night.as_of for night in nights] == [FIRST, SECOND]
    with pytest.raises(ConfigError, match=r"'summer': no published night lists it; the published nights know spring"):
        read_exposures(nights, "summer")


def test_nights_from_before_would_be_listings_are_told(campaign, heard):
    publish_night(campaign.output, date(2024, 2, 1), rows([7]), None)
    report = effect_report(campaign, "spring", AS_OF, months=2, reporter=heard)
    assert report.notes == {"nights_skipped": 1}


def test_a_horizon_that_is_not_over_is_no_staying(campaign, heard):
    with pytest.raises(DataError, match="nobody's 2 months are over"):
        effect_report(campaign, "spring", date(2024, 4, 25), months=2, reporter=heard)


def test_held_out_customers_who_were_called_are_told(campaign, heard, operator):
    path = campaign.sources.folder / "contacts.parquet"
    contacts = pd.read_parquet(path)
    more = contacts.head(3).assign(contact_id=["X1", "X2", "X3"], customer_id=[customer(LISTED + n) for n in range(3)], reached=True)
    pd.concat([contacts, more]).to_parquet(path, index=False)
    report = effect_report(campaign, "spring", AS_OF, months=2, reporter=heard)
    assert report.notes == {"contaminated": 3}
    assert report.measured.reached_held_out == pytest.approx(0.01)


def test_a_damaged_list_is_refused(campaign, heard):
    (night,) = [each for each in published_until(campaign.output, AS_OF) if each.as_of == FIRST]
    path = night.folder / "would_be.parquet"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match=r"would_be\.parquet"):
        effect_report(campaign, "spring", AS_OF, months=2, reporter=heard)


def test_months_are_counted_from_each_ones_own_night(operator):
    people = range(6)
    fates = {0: ("2024-03-01", "voluntary"), 1: ("2024-03-02", "port_out"), 2: ("2024-05-01", "voluntary"), 3: ("2024-05-02", "voluntary")}
    fates |= {4: ("2024-04-01", "non_payment")}
    config = operator(
        customers=pd.DataFrame(
            [{"customer_id": customer(n), "valid_from": date(2022, 1, 1), "joined_on": date(2022, 1, 1)} for n in people]
        ),
        billing=pd.concat([bills(people, [month], 10.0 * month.month) for month in MONTHS]),
        departures=pd.DataFrame(
            [(customer(n), date.fromisoformat(day), kind) for n, (day, kind) in fates.items()], columns=["customer_id", "left_on", "kind"]
        ),
    )
    tables = open_tables(config, log=lambda _: None)
    asked = pd.DataFrame({"customer_id": [customer(n) for n in people], "night": [FIRST] * 5 + [SECOND]})
    found = follow(tables, asked, AS_OF, months=2, kinds=("voluntary", "port_out")).set_index("customer_id")
    # left on the night itself, or a day after the months: not within them; by another kind: counted, as not left
    assert found["left"].tolist() == [0, 1, 1, 0, 0, 0]
    # bills of March and April against January and February; of the fifteenth, April and May, as March is cut
    assert found["revenue"].tolist() == [30 + 40] * 5 + [40 + 50]
    assert found["revenue_before"].tolist() == [10 + 20] * 6
    assert found["complete"].all()
    early = follow(tables, asked, date(2024, 6, 1) - timedelta(days=1), months=2, kinds=("voluntary",))
    assert early["complete"].tolist() == [True] * 5 + [False]  # May is not billed yet
