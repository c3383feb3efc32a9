"""Outcomes in a config: what they inherit, what they change, and what is refused."""

import pytest

from custvalue.config import Departures, OutcomeSettings, TimeToLeave, ValueLoss, load_config
from custvalue.errors import ConfigError

OUTCOMES = """
churn: {gap_months: 2, horizon_months: 3, snapshots: 9, min_leavers: 50, seed: 11}
outcomes:
  non_payment: {kinds: [non_payment], min_leavers: 30}
  silence: {form: departures, kinds: [silence], gap_months: 0}
  value_loss: {form: value_loss, share: 0.4}
  time_to_leave: {form: hazard, hazard_months: 4}
"""


@pytest.fixture
def config(config_file):
    return load_config(config_file(OUTCOMES))


def test_each_outcome_has_its_form(config):
    assert {name: type(outcome) for name, outcome in config.outcomes.items()} == {
        "non_payment": Departures,
        "silence": Departures,
        "value_loss": ValueLoss,
        "time_to_leave": TimeToLeave,
    }


def test_an_outcome_is_the_main_one_s_settings_but_for_its_own(config):
    found = {name: config.for_outcome(name).churn for name in config.outcomes}
    assert [(s.gap_months, s.horizon_months, s.snapshots, s.min_leavers, s.seed) for s in found.values()] == [
        (2, 3, 9, 30, 11),
        (0, 3, 9, 50, 11),
        (2, 3, 9, 50, 11),
        (2, 1, 8, 50, 11),
    ]
    assert [s.kinds for s in found.values()] == [("non_payment",), ("silence",), ("value_loss",), ("voluntary", "port_out")]


def test_an_outcome_s_model_has_a_name_and_a_folder_of_its_own(config):
    own = config.for_outcome("silence")
    assert own.name == f"{config.name}-silence"
    assert own.output == config.output
    assert own.training_output == config.output / "outcomes" / "silence"
    assert config.training_output == config.output
    assert config.for_outcome(None) is config


def test_what_the_bundle_keeps_of_an_outcome(config):
    described = {name: config.for_outcome(name).churn.described() for name in ("silence", "value_loss")}
    window = {"gap_months": 2, "horizon_months": 3}
    assert described == {
        "silence": window | {"name": "silence", "form": "departures", "kinds": ["silence"], "gap_months": 0},
        "value_loss": window | {"name": "value_loss", "form": "value_loss", "kinds": ["value_loss"], "share": 0.4, "months_before": 3},
    }
    assert isinstance(config.for_outcome("silence").churn, OutcomeSettings)


def test_a_name_that_is_not_there_is_told_with_those_that_are(config):
    with pytest.raises(ConfigError, match=r"no outcome is called 'debt'; .* non_payment, silence, value_loss, time_to_leave"):
        config.for_outcome("debt")


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ("leave: {kinds: [silence]}", "'leave'"),
        ("tiers: {kinds: [silence]}", "'tiers'"),
        ("Non-Payment: {kinds: [non_payment]}", "outcomes.Non-Payment"),
        ("silence: {}", "kinds: Field required"),
        ("silence: {kinds: []}", "kinds"),
        ("silence: {form: quiet}", "`form` is departures"),
        ("loss: {form: value_loss, share: 0}", "share"),
        ("loss: {form: value_loss, kinds: [silence]}", "unknown key"),
        ("when: {form: hazard, hazard_months: 1}", "hazard_months"),
        ("when: {form: hazard, horizon_months: 2}", "horizon_months"),
        ("{a: {form: hazard}, b: {form: hazard}}", "a and b both foretell"),
    ],
)
def test_what_cannot_be_meant_is_refused(config_file, outcomes, told):
    with pytest.raises(ConfigError) as refused:
        load_config(config_file(f"outcomes:\n  {outcomes}\n"))
    assert told in str(refused.value)
