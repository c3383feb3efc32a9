"""An id that comes back: whoever joins under a number that had an owner before inherits nothing of his."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from custvalue.config import FeaturesConfig
from custvalue.sources import Moment

AS_OF = date(2022, 1, 1)
LEFT, JOINED = date(2021, 6, 20), date(2021, 10, 15)
OLD, NEW = datetime(2021, 5, 3, 12), datetime(2021, 11, 3, 12)


def service(name, *starts, **more):
    return [{"customer_id": name, "valid_from": start, "joined_on": start} | more for start in starts]


def rows_of(name):
    """Rows of an old owner and of a new one in every table."""
    bills = [
        {"customer_id": name, "month": date(2021, month, 1), "revenue": Decimal(r)} for month, r in ((5, 90), (9, 80), (10, 30), (11, 30))
    ]
    return {
        "billing": bills,
        "usage": [{k: v for k, v in bill.items() if k != "revenue"} | {"data_mb": bill["revenue"]} for bill in bills],
        "payments": [
            {"payment_id": f"{name}{n}", "customer_id": name, "paid_at": at, "amount": Decimal(10 + n)} for n, at in enumerate((OLD, NEW))
        ],
        "complaints": [{"complaint_id": f"{name}{n}", "customer_id": name, "opened_at": at} for n, at in enumerate((OLD, NEW))],
        "events": [
            {"event_id": f"{name}{n}", "customer_id": name, "event_type": "port_query", "occurred_at": at}
            for n, at in enumerate((OLD, NEW))
        ],
        "contacts": [{"contact_id": f"{name}{n}", "customer_id": name, "contacted_at": at} for n, at in enumerate((OLD, NEW))],
        "surveys": [
            {"survey_id": f"{name}{n}", "customer_id": name, "asked_at": at, "answered_at": at + timedelta(days=1), "score": 1 + n}
            for n, at in enumerate((OLD, NEW))
        ],
        "contracts": [
            {"contract_id": f"{name}{n}", "customer_id": name, "kind": "contract", "product": f"P{n}", "starts_on": at.date()}
            for n, at in enumerate((OLD, NEW))
        ],
        "daily": [{"customer_id": name, "day": day, "active": day < JOINED} for day in (JOINED - timedelta(days=1), JOINED)],
    }


OWN = {
    "payment_count_12m": 1, "payment_mean_12m": 11, "complaint_count_12m": 1, "port_query_count_12m": 1, "contact_count_12m": 1,
    "survey_count_12m": 1, "survey_score_mean_12m": 2, "agreement_count": 1, "contract_product": "P1",
    "revenue_mean_12m": 30, "data_mb_mean_12m": pytest.approx((30 * 30 / 31 + 30) / 2),
    "bill_missing_months_12m": 1, "silent_days": 1, "days_since_active": None,
}  # fmt: skip
INHERITED = {
    "payment_count_12m": 2, "payment_mean_12m": 10.5, "complaint_count_12m": 2, "port_query_count_12m": 2, "contact_count_12m": 2,
    "survey_count_12m": 2, "survey_score_mean_12m": 1.5, "agreement_count": 2, "contract_product": "P1",
    "revenue_mean_12m": 57.5, "data_mb_mean_12m": pytest.approx((120 * 30 / 31 + 110) / 4),
    "bill_missing_months_12m": 4, "silent_days": 1, "days_since_active": 79,
}  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    """A new owner; one who left later, and came back under his old joining; one who never left."""
    people = service("new", date(2018, 1, 1), JOINED, plan="S") + service("same", date(2018, 1, 1), plan="S")
    people[0]["plan"] = "L"
    people += [{"customer_id": "silent", "valid_from": day, "joined_on": date(2018, 1, 1), "status": status}
               for day, status in ((date(2018, 1, 1), "active"), (LEFT, "silent"), (JOINED, "active"))]  # fmt: skip
    left = [{"customer_id": name, "left_on": LEFT, "kind": kind} for name, kind in (("new", "port_out"), ("silent", "silence"))]
    found = {"customers": people, "departures": left}
    for name in ("new", "same", "silent"):
        for table, lent in rows_of(name).items():
            found.setdefault(table, []).extend(lent)
    return found


@pytest.fixture(scope="module")
def features(engine, features_on, write_rows, tables, tmp_path_factory):
    folder = write_rows(tmp_path_factory.mktemp("rows"), tables)
    return features_on(engine, folder, Moment(AS_OF, "Asia/Shanghai"), FeaturesConfig(windows=(1, 12)))


@pytest.mark.parametrize("name", ["new", "same", "silent"])
def test_rows_of_the_present_service_alone_count(features, name):
    """The new owner has what is his own; who never left, and who only fell silent for a while, has all of it."""
    wanted = OWN if name == "new" else INHERITED
    assert {column: features[name][column] for column in wanted} == {
        k: v if not isinstance(v, float) else pytest.approx(v) for k, v in wanted.items()
    }


def test_the_old_owner_s_plan_was_no_change_of_plan(features):
    assert (features["new"]["plan"], features["new"]["months_since_plan_change"], features["new"]["plan_changes_12m"]) == ("S", None, 0)
