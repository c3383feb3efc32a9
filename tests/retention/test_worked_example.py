"""What the page on lists works out by hand is what the shipped policy decides."""

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from custvalue.config import load_retention_policy, ready_configs
from custvalue.retention import Duty, sensitivity
from custvalue.retention.deciding import decide
from custvalue.retention.decisions import DECISIONS

PAGE = Path(__file__).parents[2] / "docs" / "retention.md"
AS_OF = date(2026, 1, 1)


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def policy():
    return load_retention_policy(ready_configs() / "retention" / "default.yaml")


@pytest.fixture(scope="module")
def example(policy):
    customer = {"customer_id": ["c1"], "probability": [0.35], "tier": ["gold"], "arpu": [100.0], "contract_days_to_end": [18.0]}
    duty = Duty.of(None, policy, as_of=AS_OF)
    return lambda **more: decide(
        pd.DataFrame(customer | more), policy=policy, duty=duty, holdout_key=b"made up for these tests", as_of=AS_OF
    )


def test_the_table_of_offers_is_what_is_decided(page, policy, example):
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)
    assert [code for code, *_ in rows] == list(policy.offers)
    decided = example().iloc[0]
    for code, cost, save, gained, spent, net in rows:
        assert f"{decided[f'net_value__{code}']:.2f}" == net
        assert f"{decided[f'expected_cost__{code}']:.2f}" == spent
        assert f"{decided[f'net_value__{code}'] + decided[f'expected_cost__{code}']:.2f}" == gained
        assert f"{0.11 * policy.offers[code].save_factor:.3f}" == save
        assert float(gained) - float(spent) == pytest.approx(float(net), abs=0.011)
        if code == decided["offer"]:
            assert f"{decided['offer_cost']:.2f}" == cost
    assert decided["offer"] == "renewal"
    assert f"V = 0.5 · 100 · 15.06 = {decided['value_at_stake']:.2f}" in page


def test_its_band_is_what_sensitivity_tells(page, policy, example):
    found = sensitivity(example(), policy)
    told = re.search(r"the call loses ([\d.]+); if it is double, it earns ([\d.]+); it pays from a γ of ([\d.]+) on", page)
    assert told.groups() == (f"{-found['save_halved']:.2f}", f"{found['save_doubled']:.2f}", f"{found['break_even_save']:.3f}")


def test_after_a_port_query_the_offer_that_is_open_to_all_is_left(example):
    assert example(days_since_port_query=[3.0])["offer"].tolist() == ["data_bonus"]


def test_the_page_tells_every_decision_in_its_order(page):
    table = page[page.index("| decision | when |") : page.index("A contact may stand in")]
    assert re.findall(r"`([a-z_]+)`", "\n".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))) == list(
        DECISIONS
    )
