"""Traffic data become features only where consent is mapped, and only of those who gave it."""

from datetime import date, datetime

import pytest

from custvalue.config import FeaturesConfig
from custvalue.sources import Moment

AS_OF = date(2022, 3, 1)
SINCE = date(2019, 1, 1)
SETTINGS = FeaturesConfig(windows=(1, 3))
ONLY = ("customers", "departures", "usage")


def customer(name, consent, since=SINCE, **more):
    return {"customer_id": name, "valid_from": since, "joined_on": SINCE, "traffic_data_consent": consent} | more


@pytest.fixture(scope="module")
def built(open_warehouse):
    warehouse = open_warehouse()
    return warehouse, warehouse.build(Moment(AS_OF), SETTINGS, ONLY)


def test_values_of_those_who_did_not_consent_are_missing(built):
    warehouse, features = built
    later = date(2022, 1, 1)
    people = [customer("yes", True), customer("no", False), customer("silent", None)]
    people += [customer("withdrawn", True), customer("withdrawn", False, later)]
    people += [customer("late", True), customer("late", False, later, available_at=datetime(2022, 3, 2))]
    names = ("yes", "no", "silent", "withdrawn", "late")
    months = ((date(2022, 2, 1), 12, 0.5, 100), (date(2022, 1, 1), 4, 0.25, 80))
    use = [
        {"customer_id": name, "month": month, "distinct_peers": peers, "off_net_share": share, "voice_minutes": minutes}
        for name in names
        for month, peers, share, minutes in months
    ]
    found = warehouse.runner(features)({"customers": people, "usage": use})
    traffic = [column.name for column in features.columns if column.consent]
    assert {"distinct_peers_mean_1m", "distinct_peers_drop_3m", "off_net_share_mean_1m", "off_net_share_shift_3m"} <= set(traffic)
    for name in ("yes", "late"):
        assert (found[name]["distinct_peers_mean_1m"], found[name]["distinct_peers_drop_3m"]) == (12, -2)
        assert (found[name]["off_net_share_mean_1m"], found[name]["off_net_share_shift_3m"]) == (0.5, 0.25)
    for name in ("no", "silent", "withdrawn"):
        assert [found[name][column] for column in traffic] == [None] * len(traffic)
        assert found[name]["voice_minutes_mean_1m"] == pytest.approx(100 * 30 / 28)


def test_without_mapped_consent_there_are_no_such_columns_and_one_line_says_so(open_warehouse, built):
    warehouse = open_warehouse(without=("customers.traffic_data_consent",))
    lines = []
    features = warehouse.build(Moment(AS_OF), SETTINGS, ONLY, log=lines.append)
    assert not [column for column in features.columns if column.consent]
    count = sum(column.consent is not None for column in built[1].columns)
    assert [line for line in lines if "consent" in line] == [
        f"features: {count} column(s) are off, customers.traffic_data_consent is not mapped"
    ]
    assert "traffic_data_consent" not in built[1].table.columns
