"""A policy that asks for a learned effect, from training to the night: too few contacts by lot, and everybody is told."""

from __future__ import annotations

import json

import pytest
import yaml

from .conftest import AS_OF, Workspace

pytestmark = pytest.mark.long

OPEN_GATES = {"max_calibration_excess": 1, "min_auc": 0, "max_log_loss_ratio": 10, "max_slice_ratio": 100, "min_overlap": 0}
OPEN_GATES |= {"max_log_loss_increase": 10, "max_auc_drop": 1, "max_profit_drop": 100, "max_slice_increase": 100}
TOLD = "effects: cannot learn: "


def test_too_few_lots_are_told_in_training_dry_run_night_and_manifest(workspace: Workspace) -> None:
    policy = workspace.folder / "configs" / "retention" / "keen.yaml"
    content = yaml.safe_load(policy.read_text(encoding="utf-8"))
    policy.write_text(yaml.safe_dump(content | {"effect": "learned"}, allow_unicode=True, sort_keys=False), encoding="utf-8")
    settings = yaml.safe_load(workspace.config.read_text(encoding="utf-8"))
    workspace.change(churn=settings["churn"] | {"max_rounds": 10}, promotion=OPEN_GATES)
    run, approved = workspace.approve()
    assert approved.code == 0, approved.err
    assert "the model in use was trained before the effect was to be learned" in run.out
    trained = workspace.say("train", "--as-of", AS_OF)
    assert trained.code == 0, trained.err
    assert TOLD in trained.told("train")
    promoted = workspace.say("promote")
    assert promoted.code == 0, promoted.err
    run, approved = workspace.approve()
    assert "do not suffice to learn it" in " ".join(run.out.split())
    night = workspace.nightly()
    assert night.code == 0, night.err
    assert TOLD in night.told("lists")
    (manifest,) = (workspace.output / "manifests" / f"as_of={AS_OF}").glob("*.json")
    effect = json.loads(manifest.read_text(encoding="utf-8"))["lineage"]["effect"]
    assert effect["source"] == "too_few"
    assert len(effect["digest"]) == 64
    assert workspace.nightly().code == 0  # the same run: nothing to do
