"""The three real data sets, with the configs that ship, judged by what their raw files say."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.metrics import roc_auc_score

from custvalue.publish import read_published

from .conftest import REPOSITORY, Said, Workspace

pytestmark = pytest.mark.long


@contextmanager
def operator(name: str, data_folder: Path, folder: Path) -> Iterator[Workspace]:
    shutil.copytree(REPOSITORY / "configs", folder / "configs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUSTVALUE_DATA", str(data_folder))
        yield Workspace(folder, name)


def go_the_whole_way(workspace: Workspace, as_of: str) -> dict[str, Said]:
    steps = {
        "check": ("--as-of", as_of),
        "features": ("--as-of", as_of, "--out", workspace.folder / "features.parquet"),
        "tiers": ("--as-of", as_of, "--out", workspace.folder / "tiers.parquet"),
        "train": ("--as-of", as_of),
        "promote": (),
    }
    said = {step: workspace.say(step, *arguments) for step, arguments in steps.items()}
    if said["promote"].code == 0:
        said["dry-run"], said["approve"] = workspace.approve(as_of)
    return said | {"nightly": workspace.say("nightly", "--as-of", as_of), "nights": workspace.say("nights")}


def artifact(workspace: Workspace, name: str) -> str:
    (path,) = (workspace.models / "artifacts").rglob(name)
    return path.read_text(encoding="utf-8")


def refusals(said: Said) -> set[str]:
    return set(re.findall(r"snapshot (\d{4}-\d\d-\d\d) refused", said.err))


@pytest.fixture(scope="module")
def interconnect(data_folder, tmp_path_factory) -> Iterator[tuple[Workspace, dict[str, Said]]]:
    with operator("interconnect", data_folder, tmp_path_factory.mktemp("interconnect")) as workspace:
        yield workspace, go_the_whole_way(workspace, "2019-11-01")


@pytest.fixture(scope="module")
def contracts(data_folder) -> pd.DataFrame:
    """The raw file of contracts; who has not left has no end."""
    raw = pd.read_csv(data_folder / "interconnect" / "contract.csv.gz")
    begins, ends = pd.to_datetime(raw.BeginDate), pd.to_datetime(raw.EndDate, errors="coerce", format="%Y-%m-%d %H:%M:%S")
    return raw.assign(begins=begins, ends=ends)


class TestInterconnect:
    def test_every_command_ends_well(self, interconnect):
        assert {step: told.code for step, told in interconnect[1].items()} == dict.fromkeys(interconnect[1], 0)

    def test_features_are_of_the_customers_in_contract(self, interconnect, contracts):
        features = pd.read_parquet(interconnect[0].folder / "features.parquet").set_index("customer_id")
        day = pd.Timestamp("2019-11-01")
        active = contracts[(contracts.begins <= day) & ~(contracts.ends <= day)]
        assert len(active) == 5636
        assert set(features.index) == set(active.customerID)
        tenured = active[active.begins <= "2019-10-01"].set_index("customerID")
        assert (features.revenue_mean_1m[tenured.index] == tenured.MonthlyCharges).all()

    def test_tiers_cover_the_base_and_unrated_is_not_the_lowest(self, interconnect):
        workspace, _ = interconnect
        tiers = pd.read_parquet(workspace.folder / "tiers.parquet").merge(pd.read_parquet(workspace.folder / "features.parquet"))
        shares = tiers[tiers.tier != "unrated"].tier.value_counts(normalize=True)
        assert shares.to_dict() == pytest.approx({"diamond": 0.05, "gold": 0.15, "silver": 0.30, "basic": 0.50}, abs=0.01)
        assert (tiers.tenure_months[tiers.tier == "unrated"] < 3).all()

    def test_one_snapshot_trains_and_earlier_ones_are_refused(self, interconnect):
        workspace, said = interconnect
        assert "snapshot 2019-09-01: 6,105 active, 850 left in the window" in said["train"].err
        assert {"2019-07-21", "2019-06-09"} <= refusals(said["train"])
        assert "leavers before 2019-09-01 are missing from the tables" in said["train"].err
        assert "split by customer" in said["train"].out
        bundle = json.loads(artifact(workspace, "bundle.json"))
        assert "2019-09-01" in json.dumps(bundle["trained"])
        assert "2019-08-01" not in json.dumps(bundle["trained"])

    def test_the_report_says_what_is_final_state(self, interconnect):
        report = artifact(interconnect[0], "report.md")
        assert "| 2019-09-01 | 6,105 | 850 | 13.92% |" in report
        assert re.search(r"Contract type, services, charges and payment method are final-state in this file", report)
        assert "split by customer" in report
        assert "over customers, not over time" in report
        assert "Contract type, services, charges" in interconnect[1]["train"].out

    def test_the_night_ranks_the_leavers_of_the_next_two_months(self, interconnect, contracts):
        scores = read_published(interconnect[0].output)
        assert len(scores) == scores.customer_id.nunique() == 5636
        leavers = set(contracts[(contracts.ends > "2019-11-01") & (contracts.ends <= "2020-01-01")].customerID)
        left = scores.customer_id.isin(leavers)
        assert left.sum() == 821
        assert 0.80 <= roc_auc_score(left, scores.probability) <= 0.90
        assert scores.probability.mean() == pytest.approx(left.mean(), rel=0.25)

    def test_the_list_names_nobody_and_gives_reasons(self, interconnect):
        (path,) = interconnect[0].output.glob("nights/*/lists.parquet")
        rows = pd.read_parquet(path)
        assert set(rows.manager_id) == {"unassigned"}
        assert len(rows) == 40  # configs/retention/interconnect.yaml
        assert rows.customer.str.fullmatch(r"C-[0-9a-f]{10}").all()
        assert rows.reasons_en.map(len).between(1, 3).all()
        assert rows.reasons_zh.map(len).equals(rows.reasons_en.map(len))

    def test_before_the_outcome_is_complete_nothing_trains(self, interconnect):
        told = interconnect[0].say("train", "--as-of", "2019-10-01")
        assert told.code == 4
        assert "no snapshot can train at 2019-10-01" in told.refusal
        assert "outcomes_recorded_after" in told.refusal

    def test_the_total_of_all_charges_reaches_no_feature(self, interconnect):
        spec = json.loads(artifact(interconnect[0], "feature_spec.json"))
        features = pd.read_parquet(interconnect[0].folder / "features.parquet")
        assert {column["name"] for column in spec} == set(features.columns) - {"customer_id"}
        assert not any("total" in column["name"].lower() for column in spec)


@pytest.fixture(scope="module")
def india(data_folder, tmp_path_factory) -> Iterator[tuple[Workspace, dict[str, Said]]]:
    with operator("india-prepaid", data_folder, tmp_path_factory.mktemp("india")) as workspace:
        yield workspace, go_the_whole_way(workspace, "2014-09-01")


@pytest.fixture(scope="module")
def used(data_folder) -> pd.DataFrame:
    """Whether each number was used at all in June (6) to September (9), from the raw panel."""
    panel = pd.read_csv(data_folder / "india_prepaid_panel" / "telecom_churn_data_first1000.csv.gz").set_index("mobile_number")
    panel.index = panel.index.astype(str)
    parts = ("total_og_mou", "total_ic_mou", "vol_2g_mb", "vol_3g_mb")
    return pd.DataFrame({month: panel[[f"{part}_{month}" for part in parts]].fillna(0).sum(axis=1) > 0 for month in range(6, 10)})


class TestIndia:
    def test_every_command_ends_well(self, india):
        assert {step: told.code for step, told in india[1].items()} == dict.fromkeys(india[1], 0)

    def test_it_learns_august_from_those_in_use_in_july(self, india, used):
        active = used[7]
        silent = active & ~used[8]
        assert (active.sum(), silent.sum()) == (930, 51)
        assert "snapshot 2014-08-01: 930 active, 51 left in the window" in india[1]["train"].err
        assert "2014-06-20" in refusals(india[1]["train"])

    def test_its_calibrator_is_cross_fitted_and_it_claims_little(self, india):
        bundle = json.loads(artifact(india[0], "bundle.json"))
        assert bundle["calibrator"]["kind"] in ("none", "sigmoid", "beta", "isotonic")
        assert "split by customer" in india[1]["train"].out
        assert bundle["trained"]["slices"]["folds"] >= 2
        report = artifact(india[0], "report.md")
        assert re.search(r"only 13 leavers test the model, so the intervals are wide", report)
        assert not re.search(r"better than|superior|outperform|beats", report)
        evaluation = json.loads(artifact(india[0], "evaluation.json"))["metrics"]["auc"]
        assert evaluation["high"] - evaluation["low"] > 0.1

    def test_tiers_follow_recharge_and_arpu(self, india):
        workspace, _ = india
        tiers = pd.read_parquet(workspace.folder / "tiers.parquet").set_index("customer_id")
        features = pd.read_parquet(workspace.folder / "features.parquet").set_index("customer_id").loc[tiers.index]
        points = features.revenue_mean_2m + 0.5 * features.payment_amount_2m.fillna(0)  # configs/tiers/india-prepaid.yaml
        np.testing.assert_allclose(tiers.score, points.clip(lower=0), rtol=1e-9, atol=1e-9)
        assert (tiers.tier != "basic").mean() == pytest.approx(0.30, abs=0.01)

    def test_the_night_is_judged_on_september(self, india, used):
        scores = read_published(india[0].output).set_index("customer_id")
        assert set(scores.index) == set(used.index[used[8]])
        assert len(scores) == 908
        silent = ~used[9][scores.index]
        assert silent.sum() == 41
        assert 0.6 < roc_auc_score(silent, scores.probability) < 0.95
        assert scores.probability.mean() == pytest.approx(silent.mean(), rel=0.6)


@pytest.fixture(scope="module")
def megaline(data_folder, tmp_path_factory) -> Iterator[tuple[Workspace, dict[str, Said]]]:
    with operator("megaline", data_folder, tmp_path_factory.mktemp("megaline")) as workspace:
        yield workspace, go_the_whole_way(workspace, "2019-01-01")


class TestMegaline:
    def test_base_and_value_work_without_a_model(self, megaline):
        workspace, said = megaline
        assert {step: said[step].code for step in ("check", "features", "tiers", "nights")} == {
            "check": 0,
            "features": 0,
            "tiers": 0,
            "nights": 0,
        }
        tiers = pd.read_parquet(workspace.folder / "tiers.parquet")
        assert len(tiers) == len(pd.read_parquet(workspace.folder / "features.parquet")) == 466
        assert set(tiers.tier) == {"diamond", "gold", "silver", "basic", "unrated"}

    def test_december_s_bills_follow_plan_allowance_and_rounding(self, megaline, data_folder):
        raw = data_folder / "megaline"
        users = pd.read_csv(raw / "megaline_users.csv").merge(pd.read_csv(raw / "megaline_plans.csv"), on="plan_name").set_index("user_id")
        use = {name: pd.read_csv(raw / f"megaline_{name}.csv.gz") for name in ("calls", "internet", "messages")}
        december = {name: rows[rows.filter(like="date").iloc[:, 0].str.startswith("2018-12")] for name, rows in use.items()}
        minutes = np.ceil(december["calls"].duration).groupby(december["calls"].user_id).sum()
        megabytes = december["internet"].groupby("user_id").mb_used.sum()
        messages = december["messages"].groupby("user_id").size()
        users = users.assign(minutes=minutes, megabytes=megabytes, messages=messages).fillna({"minutes": 0, "megabytes": 0, "messages": 0})
        bill = (
            users.usd_monthly_pay
            + (users.minutes - users.minutes_included).clip(lower=0) * users.usd_per_minute
            + (users.messages - users.messages_included).clip(lower=0) * users.usd_per_message
            + np.ceil((users.megabytes - users.mb_per_month_included).clip(lower=0).round(4) / 1024) * users.usd_per_gb
        )
        features = pd.read_parquet(megaline[0].folder / "features.parquet").set_index("customer_id")
        expected = bill[features.index.astype(int)].to_numpy()
        assert (expected > users.usd_monthly_pay.min()).sum() > 100
        np.testing.assert_allclose(features.revenue_mean_1m, expected, rtol=1e-9)

    def test_training_is_refused_with_the_number_of_leavers(self, megaline):
        told = megaline[1]["train"]
        assert told.code == 4
        assert told.refusal.startswith("34 leavers (voluntary) are known at 2019-01-01; at least 40 are needed to train")
        assert "features and tiers work without a model" in told.refusal
        assert told.out == ""

    def test_a_refused_training_leaves_nothing_half_written(self, megaline):
        workspace, _ = megaline
        uri = f"sqlite:///{workspace.models}/mlflow.db"
        client = MlflowClient(uri, uri)
        # the rating is on record, and nothing else
        experiments = {found.experiment_id: found.name for found in client.search_experiments()}
        logged = [experiments[run.info.experiment_id] for run in client.search_runs(list(experiments))]
        assert set(logged) == {"megaline-tiers"}
        assert [model.name for model in client.search_registered_models()] == ["megaline-tiers"]
        assert [path.name for path in (workspace.models / "artifacts").iterdir()] == ["megaline-tiers"]
        assert not (workspace.output / "plots").exists()
        assert not (workspace.output / "staging").exists()
        assert [path for path in workspace.folder.rglob(".*") if path.name != ".lock"] == []

    def test_without_a_champion_there_is_no_night(self, megaline):
        workspace, said = megaline
        assert (said["promote"].code, said["nightly"].code) == (4, 4)
        assert "no challenger for 'megaline'" in said["promote"].refusal
        assert "no champion for 'megaline'" in said["nightly"].refusal
        assert not (workspace.output / "nights").exists()
        assert re.search(r"2019-01-01 +refused +4 ", said["nights"].out)


def test_the_raw_files_are_only_read(data_folder, interconnect, india, megaline):
    names = {path.name for path in data_folder.rglob("*") if path.is_file()}
    for workspace, _ in (interconnect, india, megaline):
        assert names & {path.name for path in workspace.folder.rglob("*")} <= {"README.md"}
    assert [path for path in data_folder.rglob("*") if path.suffix in (".part", ".tmp", ".db") or path.name.startswith(".")] == []
