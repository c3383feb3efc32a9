"""An outcome beside the main one, from the config to the published night: trained, promoted, scored, and put into money."""

from __future__ import annotations

import json

import pytest
import yaml

from custvalue.config import load_config, load_retention_policy
from custvalue.pipeline.surface import read_published

from .conftest import AS_OF, Workspace

pytestmark = pytest.mark.long

OUTCOMES = {"time_to_leave": {"form": "hazard", "hazard_months": 2, "snapshots": 2}, "silence": {"kinds": ["silence"]}}
OPEN_GATES = {"max_calibration_excess": 1, "min_auc": 0, "max_log_loss_ratio": 10}


def test_a_night_scores_what_was_promoted_and_tells_what_was_not(workspace: Workspace):
    content = yaml.safe_load(workspace.config.read_text(encoding="utf-8"))
    workspace.change(outcomes=OUTCOMES, promotion=OPEN_GATES, churn=content["churn"] | {"max_rounds": 10})
    for command in (("train", "--as-of", AS_OF), ("promote",)):
        said = workspace.say(*command, "--outcome", "time_to_leave")
        assert said.code == 0, said.err
    assert (workspace.output / "outcomes" / "time_to_leave" / "card.html").exists()
    promoted = [json.loads(line) for line in (workspace.models / "promotions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [entry["model"] for entry in promoted] == ["op", "op-time_to_leave"]

    said = workspace.nightly()
    assert said.code == 0, said.err
    (without,) = [event["text"] for event in said.events if "no model was promoted" in str(event.get("text"))]
    assert "promoted: silence;" in without
    scores = read_published(workspace.config)
    assert scores.probability_time_to_leave.between(0, 1).all()
    assert scores.first_month_share.between(0, 1).all()
    assert "probability_silence" not in scores.columns
    assert scores.outcome_models.unique().tolist() == ["op-time_to_leave v1"]
    made = scores.attrs["lineage"]["outcomes"]
    assert {name: (each["name"], each["version"]) for name, each in made.items()} == {"time_to_leave": ("op-time_to_leave", 1)}
    value = load_retention_policy(load_config(workspace.config).retention_policy).value
    known = scores[scores.arpu > 0]
    assert known.value_at_stake.tolist() == pytest.approx((value.margin * known.arpu * known.value_months).tolist())


def test_an_outcome_that_the_config_does_not_name_is_refused(workspace: Workspace):
    said = workspace.say("train", "--as-of", AS_OF, "--outcome", "debt")
    assert said.code == 2
    assert "no outcome is called 'debt'" in said.refusal
