"""Expected departures, split among reasons: by hand on a few customers, and as properties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.explain import Reasons
from custvalue.explain.portfolio import EVERYBODY, compare, portfolio, portfolio_sums
from custvalue.explain.portfolio_plot import save_portfolio
from custvalue.wording import LAST_RESORT, Catalogue

CODES = ("complaint", "bill")


def said(*codes: str) -> Reasons:
    lists = pa.array([[code] for code in codes], pa.list_(pa.string()))
    empty = pa.array([[""] for _ in codes], pa.list_(pa.string()))
    weights = pa.array([[0.0] for _ in codes], pa.list_(pa.float64()))
    return Reasons(pa.table({"reason_codes": lists, "reasons_en": empty, "reasons_zh": empty, "reason_weights": weights}))


@pytest.fixture
def three() -> pd.DataFrame:
    # 0.4 is split 3 : 1; 0.2 goes to the bill alone, which raises it; 0.1 to no reason: nothing raises it
    weights = np.array([[0.6, 0.2], [-0.5, 0.1], [-0.1, -0.2]])
    groups = pd.DataFrame({"tier": ["gold", "gold", "basic"]})
    return portfolio_sums(CODES, weights, np.array([0.4, 0.2, 0.1]), said("complaint", "bill", LAST_RESORT), groups)


def test_each_customers_risk_is_split_among_what_raises_it(three: pd.DataFrame):
    found = portfolio([three]).set_index(["group", "reason"])
    assert found.leavers[EVERYBODY].to_dict() == pytest.approx({"complaint": 0.3, "bill": 0.3, LAST_RESORT: 0.1})
    assert found.leavers["gold"].to_dict() == pytest.approx({"complaint": 0.3, "bill": 0.3})
    assert found.share["gold"].to_dict() == pytest.approx({"complaint": 0.5, "bill": 0.5})
    assert found.share["basic"].to_dict() == {LAST_RESORT: 1.0}
    assert found.named_share["gold"].to_dict() == {"bill": 0.5, "complaint": 0.5}
    assert found.customers[EVERYBODY].unique().tolist() == [3]


def test_what_rose_since_an_earlier_night(three: pd.DataFrame):
    before = portfolio(
        [portfolio_sums(CODES, np.array([[1.0, 0.0]]), np.array([0.5]), said("complaint"), pd.DataFrame({"tier": ["gold"]}))]
    )
    found = compare(portfolio([three]), before).set_index(["group", "reason"])
    assert found.share_before["gold"].to_dict() == {"complaint": 1.0, "bill": 0.0}
    assert found.change["gold"].to_dict() == pytest.approx({"complaint": -0.5, "bill": 0.5})
    assert np.isnan(found.change["basic", LAST_RESORT])  # nobody was basic then


@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(0, 30))
def test_parts_add_up_to_the_whole_and_shares_to_one(seed: int, cut: int):
    luck = np.random.default_rng(seed)
    weights, probability = luck.normal(size=(30, 2)), luck.random(30)
    codes = luck.choice(CODES, 30).tolist()
    groups = pd.DataFrame({"tier": luck.choice(["gold", "basic", None], 30), "region": luck.choice(["north", "south"], 30)})

    def sums(part: slice) -> pd.DataFrame:
        return portfolio_sums(CODES, weights[part], probability[part], said(*codes[part]), groups[part])

    whole = portfolio([sums(slice(None))])
    parts = portfolio([sums(slice(0, cut)), sums(slice(cut, None))])
    pd.testing.assert_frame_equal(_sorted(whole), _sorted(parts))
    assert whole.groupby(["dimension", "group"], dropna=False).share.sum().to_numpy() == pytest.approx(1.0)
    assert whole[whole.dimension == EVERYBODY].leavers.sum() == pytest.approx(probability.sum())


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(["dimension", "group", "reason"]).reset_index(drop=True)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_figure_is_drawn_with_and_without_an_earlier_night(three: pd.DataFrame, catalogue: Catalogue, tmp_path: Path, language: str):
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    save_portfolio(first, portfolio([three]), catalogue, language=language, groups=("gold", "basic"))
    save_portfolio(again, compare(portfolio([three]), portfolio([three])), catalogue, language=language)
    assert first.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert again.stat().st_size > first.stat().st_size  # the marks of the earlier night, and a legend
