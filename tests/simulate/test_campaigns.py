"""Past campaigns: picked by apparent risk beside a randomised slice, so that a naive evaluation visibly fails."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from custvalue.simulate import simulate
from custvalue.simulate.campaigns import Memory, nudges, plan_campaign, reach_chance, save_chance
from custvalue.simulate.catalogue import INDIFFERENT, PERSUADABLE, SLEEPING_DOG
from custvalue.simulate.drivers import Contacting

Tables = dict[str, pd.DataFrame]


def leaves_within_three_months(tables: Tables) -> pd.Series:
    contacts = tables["contacts"]
    left_on = contacts["customer_id"].map(tables["departures"].set_index("customer_id")["left_on"])
    return left_on <= contacts["contacted_at"] + pd.DateOffset(months=3)


@pytest.fixture(scope="module")
def campaigns(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Enough contacts for shares to be judged."""
    folder = tmp_path_factory.mktemp("campaigns")
    own = folder / "own.yaml"
    own.write_text("contacts: {begins: 0, share: 0.08, randomised: 0.06, cooldown: 1}\ndaily_months: 1\n", encoding="utf-8")
    simulate(folder / "out", customers=8_000, months=12, seed=4, scenario=own)
    tables = {path.stem: pq.read_table(path).to_pandas() for path in (folder / "out").rglob("*.parquet")}
    tables["departures"]["left_on"] = pd.to_datetime(tables["departures"]["left_on"])
    tables["contacts"]["contacted_at"] = (tables["contacts"]["contacted_at"] + pd.Timedelta(hours=8)).dt.normalize()
    return tables


def test_picked_customers_leave_more_although_calls_help(campaigns: Tables) -> None:
    """Confounded: who is called leaves more often than who is drawn by lot and not called; the lot shows no such harm."""
    contacts, gone = campaigns["contacts"], leaves_within_three_months(campaigns)
    lot = contacts["randomised"]
    picked, treated, held_out = (
        gone[~lot].mean(),
        gone[lot & (contacts["arm"] == "treated")].mean(),
        gone[contacts["arm"] == "holdout"].mean(),
    )
    assert picked > 1.5 * held_out
    n = (lot & (contacts["arm"] == "treated")).sum()
    assert abs(treated - held_out) < 4 * np.sqrt(held_out / n)


def test_the_lot_is_fair_and_holds_out_half(campaigns: Tables) -> None:
    contacts = campaigns["contacts"]
    lot = contacts[contacts["randomised"]]
    assert (lot["arm"] == "holdout").mean() == pytest.approx(0.5, abs=0.03)
    assert set(contacts.loc[~contacts["randomised"], "arm"]) == {"treated"}
    kinds = campaigns["states"].drop_duplicates("customer_id").set_index("customer_id")["treatment"]
    drawn = lot["customer_id"].map(kinds).value_counts(normalize=True)
    everyone = kinds.value_counts(normalize=True)
    assert drawn["persuadable"] == pytest.approx(everyone["persuadable"], abs=0.02)


def test_held_out_customers_are_not_spoken_to(campaigns: Tables) -> None:
    held_out = campaigns["contacts"].query("arm == 'holdout'")
    assert held_out[["offer", "reached", "outcome"]].isna().all().all()
    treated = campaigns["contacts"].query("arm == 'treated'")
    assert treated[["offer", "reached", "outcome"]].notna().all().all()
    assert ((treated["outcome"] == "unreachable") == ~treated["reached"].astype(bool)).all()
    assert 0.4 <= treated["reached"].astype(bool).mean() <= 0.6


def test_marketing_refusals_are_respected(campaigns: Tables) -> None:
    """Nobody is called who never consented, nor after having said no; some say no when they are called."""
    contacts = campaigns["contacts"].sort_values("contacted_at")
    first = campaigns["customers"].sort_values("valid_from").drop_duplicates("customer_id")
    assert not contacts["customer_id"].isin(first.loc[~first["marketing_consent"], "customer_id"]).any()
    said_no = contacts[contacts["outcome"] == "do_not_contact"].drop_duplicates("customer_id").set_index("customer_id")["contacted_at"]
    assert len(said_no) > 20
    after = contacts["customer_id"].map(said_no) < contacts["contacted_at"]
    assert not after.any()


def test_reach_falls_with_every_call_by_hand() -> None:
    memory = Memory.blank(3)
    memory.calls[0] = [0, 1, 1]
    memory.calls[3] = [0, 0, 1]
    chance = reach_chance(Contacting(reach=0.6, reach_again=0.5, least_reach=0.2), memory)
    np.testing.assert_allclose(chance, [0.6, 0.3, 0.2])


def test_managers_pick_the_riskiest_of_those_who_may_be_called() -> None:
    n, settings = 100, Contacting(share=0.1, randomised=0.0, judgement=0.0, cooldown=2)
    memory = Memory.blank(n)
    memory.calls[1, 99] = 1
    eligible = np.arange(n) != 98
    plan = plan_campaign(settings, eligible, np.arange(n, dtype=np.float64), memory, np.full((9, n), 0.5))
    assert np.flatnonzero(plan.offer >= 0).tolist() == list(range(88, 98))


def test_only_persuadable_customers_with_intent_are_saved() -> None:
    treatment, intent = (
        np.array([INDIFFERENT, PERSUADABLE, PERSUADABLE, SLEEPING_DOG, SLEEPING_DOG, SLEEPING_DOG]),
        np.array([True, True, False, True, False, False]),
    )
    free, offer = np.array([True, True, True, True, True, False]), np.zeros(6, dtype=np.int8)
    settings = Contacting(saves=0.7, binds=0.9, harms=0.4, harms_free=1.0)
    assert save_chance(settings, treatment, intent, offer).tolist() == [0, 0.7, 0, 0, 0, 0]
    assert nudges(settings, treatment, intent, free, offer).tolist() == [0, -0.9, -0.9, 0, 1.0, 0.4]
