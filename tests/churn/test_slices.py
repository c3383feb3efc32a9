"""Quality by slice, against scikit-learn and against counts done by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from custvalue.churn.slices import ALL, LEAST_LEAVERS, bands, quality_by_slice, slice_rows

ROWS = 4_000


def judged_rows(seed=0):
    """Two rows a customer; the north's probabilities are half of what they should be."""
    random = np.random.default_rng(seed)
    region = np.where(random.random(ROWS) < 0.4, "north", "south").astype(object)
    region[random.random(ROWS) < 0.1] = None
    truth = 1 / (1 + np.exp(-random.normal(-2, 1, ROWS)))
    y = (random.random(ROWS) < truth).astype(np.int8)
    p = np.where(region == "north", truth / 2, truth)
    test = pd.DataFrame({"customer": np.arange(ROWS) // 2, "y": y, "probability": p})
    tier = np.where(np.arange(ROWS) < 30, "diamond", "basic")
    kind = np.where(y == 1, np.where(random.random(ROWS) < 0.5, "port_out", "voluntary"), None)
    return test, pd.DataFrame({"region": region, "tier": tier, "kind": kind})


@pytest.fixture(scope="module")
def rows():
    return judged_rows()


@pytest.fixture(scope="module")
def found(rows):
    return {(each.dimension, each.value): each for each in quality_by_slice(*rows, capacity_share=0.05, resamples=80)}


def test_everybody_comes_first_then_each_value_and_what_is_unknown_last(found):
    assert list(found) == [
        (ALL, ALL),
        ("region", "north"),
        ("region", "south"),
        ("region", "unknown"),
        ("tier", "basic"),
        ("tier", "diamond"),
        ("kind", "port_out"),
        ("kind", "voluntary"),
    ]


def test_the_values_of_a_dimension_hold_every_row_once(rows, found):
    test, _ = rows
    for name in ("region", "tier"):
        assert sum(each.rows for (dimension, _), each in found.items() if dimension == name) == len(test)
        assert sum(each.leavers for (dimension, _), each in found.items() if dimension == name) == test["y"].sum()
    assert found[ALL, ALL].customers == ROWS // 2


def test_measures_are_scikit_learns_on_the_slices_rows(rows, found):
    test, slices = rows
    north = test[slices["region"] == "north"]
    measures = found["region", "north"].measures
    assert measures["auc"].value == pytest.approx(roc_auc_score(north["y"], north["probability"]))
    assert measures["log_loss"].value == pytest.approx(log_loss(north["y"], north["probability"]))
    assert measures["predicted"].value == pytest.approx(north["probability"].mean())
    assert measures["observed"].value == pytest.approx(north["y"].mean())
    for interval in measures.values():
        assert interval.low <= interval.value <= interval.high


def test_a_slice_that_is_badly_calibrated_is_seen_and_one_that_is_well_is_not(found):
    assert found["region", "north"].measures["ratio"].low > 1.5
    south = found["region", "south"].measures["ratio"]
    assert south.low < 1 < south.high


def test_who_is_selected_is_decided_over_all_rows(rows, found):
    test, slices = rows
    top = set(test["probability"].nlargest(ROWS // 20).index)
    assert found[ALL, ALL].measures["selected"].value == pytest.approx(0.05)
    for region in ("north", "south"):
        own = test[slices["region"] == region]
        selected = own.index.isin(top)
        assert found["region", region].measures["selected"].value == pytest.approx(selected.mean())
        assert found["region", region].measures["reached"].value == pytest.approx(selected[own["y"] == 1].mean())


def test_a_slice_with_few_leavers_is_told_and_not_judged(found):
    diamond = found["tier", "diamond"]
    assert diamond.leavers < LEAST_LEAVERS
    assert (diamond.judged, diamond.measures, diamond.rows) == (False, {}, 30)


def test_a_kind_of_departure_is_told_from_all_who_stayed(rows, found):
    test, slices = rows
    kind = found["kind", "port_out"]
    own = test[(slices["kind"] == "port_out") | (test["y"] == 0)]
    assert kind.rows == len(own)
    assert set(kind.measures) == {"auc", "reached"}
    assert kind.measures["auc"].value == pytest.approx(roc_auc_score(own["y"], own["probability"]))


def test_many_values_share_one_row(rows):
    test, _ = rows
    plan = pd.DataFrame({"plan": [f"P{min(number, 40):02d}" for number in np.random.default_rng(1).geometric(0.08, len(test))]})
    found = quality_by_slice(test, plan, capacity_share=0.05, resamples=50)
    assert found[-1].value == "others"
    assert sum(each.rows for each in found[1:]) == len(test)
    assert len(found) == 1 + 24 + 1


def test_the_table_has_a_row_a_slice_and_is_empty_where_not_judged(rows, found):
    table = slice_rows(tuple(found.values())).set_index(["dimension", "value"])
    assert len(table) == len(found)
    assert table.loc[("region", "north"), "ratio_low"] == found["region", "north"].measures["ratio"].low
    assert table.loc[("tier", "diamond"), ["auc", "ratio", "reached_high"]].isna().all()
    assert not table.loc[("tier", "diamond"), "judged"]


def test_bands_hold_their_first_number_and_not_the_next_ones():
    values = pd.Series([0, 5, 6, 11, 12, 59, 60, 600, None])
    assert bands(values, (6, 12, 60)).tolist() == ["00–05", "00–05", "06–11", "06–11", "12–59", "12–59", "60+", "60+", None]
