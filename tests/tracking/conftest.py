import importlib
import json
import shutil
from datetime import date

import lightgbm
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from custvalue.churn.bundle import ModelBundle
from custvalue.churn.calibration import Calibrator, sigmoid
from custvalue.tracking import JudgedRows, Store

PLANS = ("家庭套餐", "prepaid")


def features(rows=80, seed=3):
    generator = np.random.default_rng(seed)
    revenue = generator.gamma(2.0, 40.0, rows)
    revenue[::7] = np.nan
    plan = generator.choice([*PLANS, "unseen", None], rows)
    return pd.DataFrame({"plan": plan, "revenue_mean_3m": revenue}, dtype=object).astype({"revenue_mean_3m": float})


def train_bundle(seed=3):
    X = features(400, seed)
    y = (np.nan_to_num(X["revenue_mean_3m"]) + 40 * (X["plan"] == "prepaid") > 80).astype(int)
    codes = X["plan"].map({plan: code for code, plan in enumerate(PLANS)}).astype(float)
    matrix = pd.DataFrame({"revenue_mean_3m": X["revenue_mean_3m"], "plan": codes})
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "seed": seed, "num_leaves": 7}
    booster = lightgbm.train(settings, lightgbm.Dataset(matrix, y, categorical_feature=["plan"]), 10)
    return ModelBundle(
        model_text=booster.model_to_string(),
        columns=(("revenue_mean_3m", "number"), ("plan", "category")),
        vocabularies={"plan": PLANS},
        calibrator=Calibrator("sigmoid", 1.1, -0.2),
        feature_spec_hash="abc",
        outcome={"gap": 0, "horizon": 2},
        trained={"as_of": "2026-01-01"},
        versions={"lightgbm": lightgbm.__version__},
    )


def evaluation(*, auc_low=0.6, excess=0.001, log_loss=0.30, base_rate=0.1):
    def interval(value, low=None):
        return {"value": value, "low": value if low is None else low, "high": value}

    return {
        "rows": 1000,
        "base_rate": base_rate,
        "metrics": {
            "auc": interval(0.7, auc_low),
            "calibration_excess": interval(excess),
            "log_loss": interval(log_loss),
        },
    }


def judged_rows(*, customers=900, noise=0.0, rival=None, learnt_until="2025-06-01", slant=0.0, seed=1, **changes):
    """Test rows of two days; outcomes are drawn from the rival's probabilities, and the version's own are those with noise."""
    generator = np.random.default_rng(seed)
    log_odds = generator.normal(-1.5, 1.2, 2 * customers)
    mine = log_odds + noise * generator.normal(size=log_odds.size)
    gold = np.tile(np.arange(customers) % 3 == 0, 2)
    rows = pd.DataFrame(
        {
            "snapshot": np.repeat(pd.to_datetime(["2025-09-01", "2025-10-01"]), customers),
            "customer": np.tile(np.arange(customers), 2),
            "y": (generator.random(log_odds.size) < sigmoid(log_odds)).astype(np.int8),
            "probability": sigmoid(mine + slant * gold),
            "rival": sigmoid(log_odds) if rival else np.nan,
            "worth_left": 100.0,
            "worth_stayed": -5.0,
            "slice_tier": np.where(gold, "gold", "basic"),
        }
    )
    facts = {"capacity_share": 0.1, "learnt_until": date.fromisoformat(learnt_until), "rival": rival}
    return JudgedRows(rows=rows, **facts, **changes)


def training(bundle, *, judged=None, test="rows-1", rows=None, **changes):
    figure = Figure()
    figure.subplots().plot([0, 1], [0, 1])
    return {
        "params": {"horizon_months": 2, **{f"setting_{number}": number for number in range(120)}},
        "digests": {"billing": "b" * 64, "usage": "u" * 64, "test": test},
        "metrics": {"auc": 0.7, "log_loss": 0.3, "leakage_checks": 12.0, "leakage_refused": 0.0},
        "figures": {"lift": figure},
        "texts": {"report.md": "# 报告\n", "evaluation.json": json.dumps(judged or evaluation())},
        "bundle": bundle,
        "X_sample": features(),
        "tags": {"as_of": "2026-01-01"},
        "judged": rows or judged_rows(),
        **changes,
    }


@pytest.fixture(scope="session")
def bundle():
    return train_bundle()


@pytest.fixture(scope="session")
def mlflow():
    return importlib.import_module("mlflow")


@pytest.fixture(scope="session")
def connect(mlflow):
    def client(models):
        uri = f"sqlite:///{models}/mlflow.db"
        return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)

    return client


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """MLflow's migrations take seconds, so they run once, and tests start from copies."""
    models = tmp_path_factory.mktemp("empty") / "models"
    Store.open(models, tracking_uri=None, name="telco", create=True)
    return models


@pytest.fixture(scope="session")
def new_store(empty_store):
    def copy(models):
        shutil.copytree(empty_store, models, dirs_exist_ok=True)
        return models

    return copy
