"""What one training leaves in MLflow, read with MLflow's own client."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from .conftest import AS_OF, CONFIG

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def client(trained) -> MlflowClient:
    uri = f"sqlite:///{trained[0].models}/mlflow.db"
    return MlflowClient(uri, uri)


@pytest.fixture(scope="module")
def run(client) -> Run:
    (found,) = client.search_runs([client.get_experiment_by_name("op").experiment_id])
    return found


@pytest.fixture(scope="module")
def artifacts(client, run, tmp_path_factory):
    uri = client.tracking_uri
    return tmp_path_factory.mktemp("artifacts") / mlflow.artifacts.download_artifacts(
        artifact_uri=run.info.artifact_uri, dst_path=str(tmp_path_factory.mktemp("run")), tracking_uri=uri
    )


def test_the_run_is_finished_and_says_what_was_asked(run):
    assert run.info.status == "FINISHED"
    assert run.data.params["as_of"] == AS_OF.isoformat()
    asked = {f"churn.{key}": str(value) for key, value in CONFIG["churn"].items()}
    assert {key: run.data.params.get(key) for key in asked} == asked
    assert run.data.tags["tier_policy"] == "consumer-v2"


def test_its_inputs_are_the_tables_it_read(trained, run):
    inputs = {entry.dataset.name: entry.dataset.digest for entry in run.inputs.dataset_inputs}
    # the directory is restricted: a model never sees it
    tables = {path.name for path in trained[0].data.glob("*.parquet")} - {"directory.parquet"}
    assert tables <= set(inputs)
    assert all(digest and len(digest) <= 36 for digest in inputs.values())
    assert len(set(inputs.values())) == len(inputs)


def test_the_leakage_report_found_nothing_to_refuse(run, artifacts):
    assert run.data.metrics["leakage_checks"] >= 10
    assert run.data.metrics["leakage_refused"] == 0
    assert "leak" in (artifacts / "leakage.md").read_text().lower()


def test_every_measure_has_its_interval(run):
    metrics = run.data.metrics
    names = ("auc", "pr_auc", "log_loss", "brier", "calibration_error", "calibration_excess", "lift_1pct", "lift_5pct", "lift_10pct")
    for name in (*names, "lift_capacity"):
        low, value, high = (metrics[f"test_{name}{end}"] for end in ("_low", "", "_high"))
        assert low <= high
        assert low - 0.02 * abs(value) - 0.01 <= value <= high + 0.02 * abs(value) + 0.01
    assert metrics["test_auc_low"] < metrics["test_auc"] < metrics["test_auc_high"]
    assert metrics["test_leavers"] == pytest.approx(metrics["test_base_rate"] * metrics["test_rows"])


@pytest.mark.parametrize("plot", ["lift", "gain", "calibration", "profit", "shap_beeswarm"])
def test_the_plots_are_pictures(artifacts, trained, plot):
    logged = (artifacts / "plots" / f"{plot}.png").read_bytes()
    assert logged.startswith(PNG)
    assert len(logged) > 5_000
    assert (trained[0].output / "plots" / f"{plot}.png").read_bytes().startswith(PNG)


def test_the_texts_are_there_and_whole(artifacts, run):
    spec = json.loads((artifacts / "feature_spec.json").read_text(encoding="utf-8"))
    assert {"name", "en", "zh", "unit", "null", "sign", "reason", "kind"} <= spec[0].keys()
    policy = json.loads((artifacts / "tier_policy.json").read_text(encoding="utf-8"))
    assert policy["policy_version"] == "consumer-v2"
    assert policy["cuts"] == {"points": {"diamond": 140, "gold": 88, "silver": 55}}
    evaluation = json.loads((artifacts / "evaluation.json").read_text(encoding="utf-8"))
    assert evaluation["metrics"]["auc"]["value"] == run.data.metrics["test_auc"]
    report = (artifacts / "report.md").read_text(encoding="utf-8")
    assert report.startswith("# ")
    assert re.search(r"\| 2024-1[12]-\d\d \|", report)  # the newest snapshot whose outcomes are over and reported
    assert "| AUC |" in report


def test_quality_by_slice_is_kept_with_intervals(artifacts, run):
    slices = pd.read_csv(artifacts / "slices.csv")
    assert {"all", "snapshot", "tier", "segment", "region", "tenure", "age", "kind"} == set(slices["dimension"])
    assert set(slices.loc[slices["dimension"] == "tier", "value"]) >= {"gold", "silver", "basic"}
    everybody = slices.iloc[0]
    assert everybody["auc"] == run.data.metrics["test_auc"] == run.data.metrics["slice/all/all/auc"]
    judged = slices[slices["judged"]]
    assert (judged["auc_low"] <= judged["auc"]).all()
    assert (judged["auc"] <= judged["auc_high"]).all()
    assert slices.loc[~slices["judged"], "auc"].isna().all()
    for dimension in ("tier", "region", "tenure", "age"):
        assert slices.loc[slices["dimension"] == dimension, "rows"].sum() == everybody["rows"]


def test_the_model_card_is_kept_and_lies_in_the_output_folder(artifacts, trained, run):
    page = (artifacts / "card.html").read_text(encoding="utf-8")
    assert page == (trained[0].output / "card.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") >= 4
    card = (artifacts / "card.md").read_text(encoding="utf-8")
    for title in ("Intended use", "Data and windows", "Quality", "Quality by slice", "Who is picked", "Columns", "Limits", "Versions"):
        assert f"## {title}" in card
    assert f"AUC {run.data.metrics['test_auc']:.3f}" in card


def test_the_rows_kept_for_promotion_name_nobody(artifacts, trained, run):
    rows = pd.read_parquet(artifacts / "judged.parquet")
    assert len(rows) == run.data.metrics["test_rows"]
    assert rows["y"].sum() == run.data.metrics["test_leavers"]
    ids = set(pd.read_parquet(trained[0].data / "customers.parquet")["customer_id"].astype(str))
    for name in rows.columns:
        assert not set(rows[name].dropna().astype(str)) & ids, name
    assert not [name for name in rows.columns if name in {"tenure_months", "revenue_mean_3m", "customer_id"}]


def test_environment_and_differences_are_told(artifacts):
    environment = json.loads((artifacts / "environment.json").read_text(encoding="utf-8"))
    assert environment["packages"]["mlflow"] == mlflow.__version__
    assert "There is no champion yet" in (artifacts / "differs.md").read_text(encoding="utf-8")


def test_the_registered_model_has_a_signature_and_both_aliases(client, run, tmp_path):
    for alias in ("champion", "challenger"):
        version = client.get_model_version_by_alias("op", alias)
        assert (int(version.version), version.run_id) == (1, run.info.run_id)
    source = client.get_model_version_download_uri("op", "1")
    card = mlflow.models.Model.load(mlflow.artifacts.download_artifacts(source, dst_path=str(tmp_path)))
    assert card.signature is not None
    assert len(card.signature.inputs.inputs) > 50
    assert card.signature.outputs is not None
    assert run.outputs.model_outputs[0].model_id == card.model_id


def test_the_promotion_is_on_record(trained, run):
    (line,) = (trained[0].models / "promotions.jsonl").read_text(encoding="utf-8").splitlines()
    entry = json.loads(line)
    assert (entry["model"], entry["from"], entry["to"], entry["promoted"]) == ("op", None, 1, True)
    assert entry["run_id"] == run.info.run_id
    assert entry["by"]
    assert all(gate["passed"] for gate in entry["gates"])
    log = trained[0].say("promote", "--log").out
    assert "passed all 6 gates" in log
    day = entry["at"][:10]
    told = trained[0].say("promote", "--on", (date.fromisoformat(day) + timedelta(days=1)).isoformat()).out
    assert "version 1 of 'op' was champion" in told
    assert "AUC, lower end of its interval" in told
    before = trained[0].say("promote", "--on", "2020-01-01")
    assert before.code == 4
    assert "no champion" in before.refusal
