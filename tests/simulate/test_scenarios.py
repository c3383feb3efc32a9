"""Scenarios: shipped ones load and are what they say, one's own are checked with their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from typer.main import get_command

from custvalue.app.cli import app
from custvalue.config import ready_configs
from custvalue.errors import ConfigError
from custvalue.simulate import SCENARIOS, Scenario, load_scenario, simulate

RESTATED = ("contract.terms", "feeds.late_usage_days", "feeds.missing_usage_region")
"""Numbers that say nothing without those beside them, so a file states them although they are the defaults."""


def test_every_shipped_file_is_named_and_loads() -> None:
    folder = ready_configs() / "scenarios"
    assert {path.stem for path in folder.glob("*.yaml")} == set(SCENARIOS)
    for name in SCENARIOS:
        assert isinstance(load_scenario(name), Scenario)


def test_help_names_them_all() -> None:
    """They are written out there, so that asking for help loads no simulator."""
    (scenario,) = [option for option in get_command(app).commands["simulate"].params if option.name == "scenario"]  # type: ignore[attr-defined]
    assert ", ".join(SCENARIOS) in str(scenario.help)  # type: ignore[attr-defined]


def test_postpaid_is_the_default() -> None:
    assert load_scenario("postpaid") == Scenario()


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "postpaid"])
def test_a_file_states_only_what_differs(name: str) -> None:
    """A number that repeats the default would stay behind when the default moves."""

    def repeated(stated: dict[str, object], defaults: dict[str, object], place: str) -> list[str]:
        found = []
        for key, value in stated.items():
            here = f"{place}{key}"
            if isinstance(value, dict) and isinstance(defaults.get(key), dict):
                found += repeated(value, defaults[key], f"{here}.")  # type: ignore[arg-type]
            elif value == defaults.get(key) and here not in RESTATED:
                found.append(here)
        return found

    stated = yaml.safe_load((ready_configs() / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert repeated(stated, Scenario().model_dump(mode="json"), "") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("intent: {recovery: 1.5}", "intent.recovery: Input should be less than or equal to 1"),
        ("intents: {}", "intents: Extra inputs are not permitted"),
        ("segments: [0.5, 0.2, 0.2]", r"segments add up to 0\.9"),
        ("contract: {held: 0.5, at_joining: 0, signed: 0, renewed: 0, terms: [12, 24], weights: [1.0]}", "contract: weights"),
        ("season_of_use: [1, 1]", "season_of_use: Tuple should have at least 12 items"),
        ("- a list", "must hold keys and values, not list"),
        ("a: [", "is not YAML"),
    ],
)
def test_faults_are_told_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as told:
        load_scenario(path)
    assert str(path) in str(told.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_scenario(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="unknown scenario 'lunar'; there are: postpaid, prepaid"):
        load_scenario("lunar")


def test_ones_own_file_governs_a_simulation(tmp_path: Path) -> None:
    path = tmp_path / "quiet.yaml"
    path.write_text("complaints: 0.0\nintent: {base: -30.0}\ndaily_months: 0\n", encoding="utf-8")
    rows = simulate(tmp_path / "out", customers=200, months=4, seed=1, scenario=path)
    assert rows["complaints"] == 0
    assert "daily" not in rows
    assert not (tmp_path / "out" / "daily.parquet").exists()
    kinds = set(pq.read_table(tmp_path / "out" / "departures.parquet")["kind"].to_pylist())
    assert kinds <= {"non_payment", "natural"}


def monthly_churn(folder: Path) -> float:
    """Share of customers who leave by own will in a month, from the hidden states."""
    left = pq.read_table(folder / "departures.parquet").to_pandas()
    states = pq.read_table(folder / "truth" / "states.parquet", columns=["customer_id", "month"]).to_pandas()
    return float(left["kind"].isin(["voluntary", "port_out", "silence"]).sum() / len(states))


def test_prepaid_customers_fall_silent_three_to_five_percent_a_month(tmp_path: Path) -> None:
    simulate(tmp_path, customers=3_000, months=9, seed=1, scenario="prepaid")
    assert 0.03 <= monthly_churn(tmp_path) <= 0.05
    kinds = pq.read_table(tmp_path / "departures.parquet")["kind"].to_pandas().value_counts(normalize=True)
    assert kinds["silence"] > 0.75
    assert "non_payment" not in kinds
    assert set(pq.read_table(tmp_path / "contracts.parquet")["kind"].to_pylist()) <= {"discount", "trial"}


def test_enterprise_accounts_hold_many_lines_that_leave_together(tmp_path: Path) -> None:
    simulate(tmp_path, customers=4_000, months=12, seed=2, scenario="enterprise")
    people = pq.read_table(tmp_path / "customers.parquet").to_pandas().drop_duplicates("customer_id")
    assert set(people["segment"]) == {"enterprise"}
    sizes = people.groupby("account_id").size()
    assert sizes.max() > 60
    assert sizes.mean() > 15
    left = people["customer_id"].isin(pq.read_table(tmp_path / "departures.parquet")["customer_id"].to_pandas())
    share = left.groupby(people["account_id"]).mean()[sizes >= 20]
    alone = np.sqrt(left.mean() * (1 - left.mean()) / sizes[sizes >= 20].mean())
    assert share.std() > 1.5 * alone


def test_a_tariff_launch_moves_customers_cuts_bills_and_hides_symptoms(tmp_path: Path) -> None:
    simulate(tmp_path, customers=4_000, months=20, seed=1, scenario="tariff-launch")
    versions = pq.read_table(tmp_path / "customers.parquet").to_pandas()
    new = versions[versions["plan"].str.startswith("Infinite")]
    assert str(new["valid_from"].min()) >= "2025-01-01"
    assert new["customer_id"].nunique() / versions["customer_id"].nunique() > 0.3
    moved = new.sort_values("valid_from").drop_duplicates("customer_id").set_index("customer_id")["valid_from"]
    bills = pq.read_table(tmp_path / "billing.parquet", columns=["customer_id", "month", "revenue"]).to_pandas()
    bills = bills[bills["customer_id"].isin(moved.index)]
    since = bills["month"].map(lambda day: day.year * 12 + day.month) - bills["customer_id"].map(moved).map(
        lambda day: day.year * 12 + day.month
    )
    revenue = bills["revenue"].astype(float)
    assert revenue[since.between(0, 2)].mean() < 0.9 * revenue[since.between(-3, -1)].mean()
    states = pq.read_table(tmp_path / "truth" / "states.parquet").to_pandas()
    intending = states[states["intent"]]
    infinite = intending["customer_id"].map(moved) <= intending["month"]
    assert intending.loc[infinite, "symptom"].mean() < 0.6 * intending.loc[~infinite, "symptom"].mean()
