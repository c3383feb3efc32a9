"""The same data and config give the same model anywhere, and a workspace that moved still works."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from mlflow import MlflowClient

from custvalue.publish import read_published

from .conftest import AS_OF, Workspace

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def elsewhere(trained, tmp_path_factory) -> Workspace:
    """The same tables and config in another folder, trained and scored with another model store."""
    original = trained[0]
    workspace = Workspace(tmp_path_factory.mktemp("elsewhere") / "workspace")
    for name in ("configs", "data"):
        shutil.copytree(original.folder / name, workspace.folder / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace.folder}/store/runs.db")
        patch.setenv("CUSTVALUE_ACTOR", "an operator")
        for command in (("train", "--as-of", AS_OF), ("promote",)):
            told = workspace.say(*command)
            assert told.code == 0, told.err
        workspace.approve()
        assert workspace.nightly().code == 0
    return workspace


def test_the_same_data_and_config_give_the_same_model_and_scores(trained, elsewhere, workspace):
    (first,), (second,) = (list(found.folder.rglob("model.lgb")) for found in (trained[0], elsewhere))
    assert len(first.read_text(encoding="utf-8")) > 5_000
    assert first.read_text(encoding="utf-8") == second.read_text(encoding="utf-8")
    workspace.output.mkdir(parents=True, exist_ok=True)
    shutil.copy(elsewhere.output / "token.key", workspace.output)  # another key would give other tokens, and so another night
    workspace.nightly()
    one, other = (read_published(found.output, AS_OF) for found in (workspace, elsewhere))
    assert one.run_id[0] == other.run_id[0]
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_another_store_takes_everything_and_the_default_one_is_not_made(elsewhere):
    client = MlflowClient(f"sqlite:///{elsewhere.folder}/store/runs.db", f"sqlite:///{elsewhere.folder}/store/runs.db")
    assert int(client.get_model_version_by_alias("op", "champion").version) == 1
    assert not (elsewhere.models / "mlflow.db").exists()
    assert not (elsewhere.models / "artifacts").exists()
    assert client.get_model_version("op", "1").tags["promoted_by"] == "an operator"
    without = elsewhere.nightly()  # the variable is not set any more
    assert without.code == 4
    assert "no champion for 'op'" in without.refusal


def test_a_workspace_that_moved_still_works(published, tmp_path):
    before = read_published(published.output)
    (tmp_path / "搬 家").mkdir()
    moved = Workspace(tmp_path / "搬 家" / "new place")
    shutil.move(published.folder, moved.folder)
    assert not published.folder.exists()

    assert "champion already" in moved.say("promote").out
    again = moved.nightly()
    assert again.code == 0
    assert again.out.strip() == str(moved.output / "nights" / before.run_id[0])
    assert moved.say("score", "--as-of", AS_OF).code == 0
    apart = pd.read_parquet(moved.output / "scores" / f"as_of={AS_OF}.parquet")
    assert apart.probability.tolist() == before.probability.tolist()

    client = MlflowClient(f"sqlite:///{moved.models}/mlflow.db", f"sqlite:///{moved.models}/mlflow.db")
    version = client.get_model_version_by_alias("op", "champion")
    assert {file.path for file in client.list_artifacts(version.run_id)} >= {"plots", "report.md", "evaluation.json"}
    assert not published.folder.exists()


def test_a_copy_elsewhere_leaves_the_original_alone(trained):
    assert trained[0].say("promote").out.startswith("version 1 of 'op' is champion already")
