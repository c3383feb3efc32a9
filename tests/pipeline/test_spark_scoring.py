"""What is sent to Spark's executors and what comes back: no secret, no pickled model, a refusal as a row with its exit code."""

from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from custvalue.config import load_config, ready_configs
from custvalue.errors import ConfigError, ModelError, TryAgainError
from custvalue.pipeline.spark_scoring import PartScorer, refuse_told, without_secrets
from custvalue.publish import Work

ROWS = pa.table({"customer_id": ["c1", "c2"]})


@pytest.fixture
def config(tmp_path):
    raw = yaml.safe_load((ready_configs() / "demo.yaml").read_text(encoding="utf-8"))
    raw |= {key: str(ready_configs() / raw[key]) for key in ("tier_policy", "retention_policy")}
    raw |= {"workspace": str(tmp_path), "engine": "spark"}
    raw["publish"] = {"database": {"url": "postgresql://u:geheim@localhost/db"}}
    raw["spark"] = {"settings": {"spark.hadoop.fs.s3a.secret.key": "geheim", "spark.executor.cores": 4, "spark.speculation": True}}
    (tmp_path / "op.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    return load_config(tmp_path / "op.yaml", environ={"DATABASE": "geheim"})


def test_no_secret_of_the_config_travels(config):
    assert b"geheim" in pickle.dumps(config)
    sent = pickle.dumps(without_secrets(config))
    assert b"geheim" not in sent
    assert pickle.loads(sent).churn == config.churn  # noqa: S301


def test_sparks_settings_are_texts_whatever_yaml_makes_of_them(config):
    assert config.spark.settings["spark.executor.cores"] == "4"
    assert config.spark.settings["spark.speculation"] == "true"


def test_a_model_that_is_not_the_registered_one_is_refused_as_a_row(tmp_path: Path):
    work = Work(tmp_path, "run1")
    work.begin("one part")
    told = PartScorer({}, {"": ({"digest": "0" * 64}, tmp_path / "nowhere")}, work)(5, ROWS)
    assert (told["part"], told["customers"], told["exit_code"]) == (5, 2, ModelError.exit_code)
    assert "bundle.json" in told["text"]
    assert work.whole() == set()
    with pytest.raises(ModelError, match=r"bundle\.json"):
        refuse_told([told])


def test_what_no_second_attempt_mends_is_told_before_what_one_may_mend():
    full = {"part": 0, "exit_code": TryAgainError.exit_code, "text": "the disk is full"}
    wrong = {"part": 7, "exit_code": ConfigError.exit_code, "text": "the config is wrong"}
    whole = {"part": 3, "exit_code": 0, "text": ""}
    refuse_told([whole])
    with pytest.raises(TryAgainError, match="disk"):
        refuse_told([whole, full])
    with pytest.raises(ConfigError, match="config"):
        refuse_told([full, whole, wrong])
