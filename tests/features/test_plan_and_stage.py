"""Changes of plan, the life-cycle stage, price of use, unusual months and the season, by hand."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from custvalue.config import FeaturesConfig
from custvalue.sources import Moment

AS_OF = date(2022, 3, 15)
LONG_AGO = date(2015, 1, 1)


def month(lag):
    return (pd.Period(AS_OF, "M") - 1 - lag).to_timestamp().date()


def customer(name="A", *, joined=LONG_AGO, since=None, **more):
    return {"customer_id": name, "joined_on": joined, "valid_from": since or joined} | more


def billed(name, *revenues, **more):
    """Give bills, the newest last."""
    months = [{"customer_id": name, "month": month(len(revenues) - 1 - i), "revenue": value} for i, value in enumerate(revenues)]
    return [row | more for row in months if row["revenue"] is not None]


@pytest.fixture(scope="module")
def features(open_warehouse):
    warehouse = open_warehouse()
    only = ("customers", "departures", "billing", "usage", "contracts")
    return warehouse.runner(warehouse.build(Moment(AS_OF), FeaturesConfig(windows=(1, 3, 12)), only))


def test_changes_of_plan(features):
    versions = [
        customer(plan="S"),
        customer(plan="M", since=date(2020, 5, 1)),
        customer(plan="M", since=date(2021, 1, 1), status="active"),  # another change, not of the plan
        customer(plan="L", since=date(2021, 12, 16)),
        customer(plan="XL", since=date(2022, 4, 1)),  # still to come
        customer("B", plan="S"),
    ]
    found = features({"customers": versions})
    assert (found["A"]["plan"], found["A"]["months_since_plan_change"], found["A"]["plan_changes_12m"]) == ("L", 2, 1)
    assert (found["B"]["months_since_plan_change"], found["B"]["plan_changes_12m"]) == (None, 0)


def test_the_step_to_the_present_plan_is_that_of_the_plans_rents(features):
    people = [customer("A", plan="L"), customer("A", plan="S", since=date(2022, 2, 1)), customer("B", plan="S"), customer("C", plan="L")]
    people += [customer("D", plan="old"), customer("D", plan="S", since=date(2022, 2, 1))]
    bills = [row for name, rent in (("A", 99), ("B", 40), ("C", 100), ("D", 1)) for row in billed(name, 50, 50, 50, rent=Decimal(rent))]
    found = features({"customers": people, "billing": bills})
    assert found["A"]["plan_change_step"] == pytest.approx(-0.6)  # from 100 to 40; a customer's mixed months tell no plan's rent
    assert found["B"]["plan_change_step"] is None
    assert found["D"]["plan_change_step"] is None  # nobody tells the old plan's rent


@pytest.mark.parametrize(
    ("joined", "ends", "stage"),
    [
        (date(2022, 1, 1), 20, "acquire"),
        (date(2021, 12, 15), None, "care"),
        (date(2021, 12, 15), 90, "keep"),
        (date(2021, 12, 15), 91, "care"),
        (date(2021, 3, 15), None, "develop"),
        (date(2021, 3, 16), None, "care"),
        (LONG_AGO, -5, "keep"),
        (LONG_AGO, 300, "develop"),
    ],
)
def test_stage_of_life(features, joined, ends, stage):
    term = {"contract_id": "1", "customer_id": "A", "kind": "contract", "starts_on": joined}
    contracts = [] if ends is None else [term | {"ends_on": AS_OF + timedelta(days=ends)}]
    assert features({"customers": [customer(joined=joined)], "contracts": contracts})["A"]["lifecycle_stage"] == stage


def test_without_contracts_the_stage_follows_from_tenure(open_warehouse):
    warehouse = open_warehouse(without=("contracts",))
    run = warehouse.runner(warehouse.build(Moment(AS_OF), FeaturesConfig(windows=(1,))))
    found = run({"customers": [customer("A"), customer("B", joined=date(2022, 3, 1))]})
    assert (found["A"]["lifecycle_stage"], found["B"]["lifecycle_stage"]) == ("develop", "acquire")


def test_price_of_use(features):
    use = [
        {"customer_id": name, "month": month(lag), "data_mb": data, "voice_minutes": minutes}
        for name, months in {"A": [(1024, 0), (2048, 0), (4096, 0)], "B": [(0, 100)]}.items()
        for lag, (data, minutes) in enumerate(months)
    ]
    found = features({"customers": [customer("A"), customer("B")], "billing": billed("A", 20, 40, 30) + billed("B", 50), "usage": use})
    of_thirty = [30 / pd.Period(month(lag), "M").days_in_month for lag in range(3)]
    used = np.multiply([1, 2, 4], of_thirty)
    assert found["A"]["revenue_per_gb_3m"] == pytest.approx(90 / used.sum())
    assert found["A"]["revenue_per_gb_rise_3m"] == pytest.approx(30 / used[0] / (60 / used[1:].sum()) - 1)
    assert (found["A"]["revenue_per_minute_3m"], found["B"]["revenue_per_gb_3m"]) == (None, None)
    assert (found["B"]["revenue_per_minute_3m"], found["B"]["revenue_per_minute_rise_3m"]) == (pytest.approx(0.5 / of_thirty[0]), None)


def test_an_unusual_month_is_measured_by_the_own_months_before(features):
    histories = {"A": (10, 20, 30, 60), "B": (20, 30, 60), "C": (20, 20, 20, 60), "D": (10, 20, 30, None)}
    found = features(
        {"customers": [customer(name) for name in histories], "billing": [r for n, h in histories.items() for r in billed(n, *h)]}
    )
    assert found["A"]["revenue_z_12m"] == pytest.approx((60 - 20) / 10)
    assert [found[name]["revenue_z_12m"] for name in "BCD"] == [None] * 3


def test_use_is_compared_by_active_day_so_that_a_short_month_is_not_unusual(features):
    days = [28, 31, 30, 31, 30]
    rates = [10, 9, 11, 10, 12]
    use = [
        {"customer_id": "A", "month": month(lag), "data_mb": day * rate, "active_days": day}
        for lag, (day, rate) in enumerate(zip(days, rates, strict=True))
    ]
    use.append({"customer_id": "A", "month": month(5), "data_mb": 5, "active_days": 0})  # a rate by no day is unknown
    found = features({"customers": [customer()], "usage": use})["A"]
    assert found["data_mb_z_12m"] == pytest.approx((10 - np.mean(rates[1:])) / np.std(rates[1:], ddof=1))


def test_what_falls_with_everyone_is_no_fall_beyond_the_season(features):
    names = [f"N{n}" for n in range(150)] + [f"S{n}" for n in range(150)]
    people = [customer(name, region="North" if name[0] == "N" else "South") for name in names] + [customer("X", region="North")]
    bills = [row for name in names for row in (billed(name, 100, 100, 50) if name[0] == "N" else billed(name, 100, 100, 100))]
    found = features({"customers": people, "billing": bills + billed("X", 40, 40, 10)})
    assert (found["N1"]["revenue_drop_3m"], found["N1"]["revenue_season_drop_3m"]) == (0.5, pytest.approx(0, abs=0.01))
    assert found["S1"]["revenue_season_drop_3m"] == pytest.approx(0)
    north = ((150 * 50 + 10) / 151) / ((150 * 200 + 80) / 302)
    assert found["X"]["revenue_season_drop_3m"] == pytest.approx(1 - 0.25 / north)


def test_without_regions_the_whole_base_makes_the_season(open_warehouse):
    warehouse = open_warehouse(without=("customers.region",))
    run = warehouse.runner(warehouse.build(Moment(AS_OF), FeaturesConfig(windows=(1, 3)), ("customers", "departures", "billing")))
    names = [f"N{n}" for n in range(120)]
    found = run({"customers": [customer(n) for n in names], "billing": [row for name in names for row in billed(name, 80, 40)]})
    assert found["N7"]["revenue_season_drop_3m"] == pytest.approx(0)


def test_a_base_of_a_few_makes_no_season(features):
    found = features({"customers": [customer()], "billing": billed("A", 80, 80, 40)})
    assert (found["A"]["revenue_drop_3m"], found["A"]["revenue_season_drop_3m"]) == (0.5, None)


def test_months_without_a_bill_count_from_the_first_one(features):
    histories = {"A": (5, None, 5, None, None), "B": (5,), "C": (5, 5, 5)}
    found = features({"customers": [customer(n) for n in "ABCD"], "billing": [r for n, h in histories.items() for r in billed(n, *h)]})
    assert [found[name]["bill_missing_months_12m"] for name in "ABCD"] == [3, 0, 0, None]


def test_parts_of_the_bill_and_what_goes_beyond_the_rent(features):
    bills = billed("A", 30, 50, rent=Decimal(20), vas=Decimal(4), roaming=Decimal(0), data=None) + billed("B", -5, vas=Decimal(1))
    found = features({"customers": [customer("A"), customer("B")], "billing": bills})
    own = found["A"]
    assert (own["vas_share_3m"], own["roaming_share_3m"], own["data_share_3m"]) == (0.1, 0, None)
    assert (own["overage_mean_1m"], own["overage_mean_3m"]) == (30, 20)
    assert (found["B"]["vas_share_3m"], found["B"]["overage_mean_1m"]) == (None, None)
