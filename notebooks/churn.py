# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Churn: from tables to the champion
# Labelled snapshots, an honest comparison over time, a trained and judged model in MLflow, its promotion, and tonight's list. Run it cell
# by cell (Jupyter opens it through jupytext), or as a script.

# %%
import os
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import matplotlib.pyplot as plt
import pandas as pd
import shap
from lightgbm import LGBMClassifier
from sklearn.model_selection import KFold, cross_val_score

import custvalue
from custvalue import pipeline
from custvalue.app.console import StepReporter
from custvalue.app.workspace import create_workspace
from custvalue.churn import draw_figures
from custvalue.simulate import simulate
from custvalue.tracking import Store

# %% [markdown]
# A workspace of its own, and 2,000 synthetic customers over 15 months. Another operator's tables would go to `data/` instead. Windows of
# at most three months, few snapshots, few rounds and three tables less keep this quick; leave all four out for the real thing.

# %%
workspace = Path(tempfile.mkdtemp()) / "workspace"
create_workspace(workspace)
policy = workspace / "configs" / "tiers" / "consumer.yaml"
policy.write_text(policy.read_text(encoding="utf-8").replace("_12m", "_3m"), encoding="utf-8")
config = custvalue.load_config(workspace / "configs" / "demo.yaml")
churn = config.churn.model_copy(update={"snapshots": 5, "bootstrap": 50, "max_rounds": 60, "min_leavers": 20})
config = config.model_copy(update={"churn": churn, "features": config.features.model_copy(update={"windows": (1, 3)})})
simulate(config.sources.folder, customers=2000, months=15, seed=7)
for table in ("daily", "payments", "surveys"):
    (config.sources.folder / f"{table}.parquet").unlink()
as_of = date(2025, 4, 1)

# %% [markdown]
# ## The rows to learn from
# One row an active customer and snapshot, on days spread over the month, because a night may fall on any day. Nothing in a row was known
# later than its snapshot.

# %%
tables = custvalue.open_tables(config.sources.folder, config)
frame = custvalue.training_frame(tables, as_of, config, log=print)
X, y, customer, snapshot = frame
pd.Series(X.attrs["columns"], name="meaning").to_frame().head(8)

# %%
frame.describe().assign(rate=lambda rows: rows.leavers / rows.active)

# %% [markdown]
# ## Judged over time
# Folds with a rolling origin: each trains on snapshots whose outcome windows were over by its test snapshot, and no customer is on both
# sides. Any scikit-learn estimator can stand beside `ChurnClassifier`. A random split lets the same customers in on both sides, with
# overlapping windows, and flatters every model.

# %%
folds = custvalue.TimeSplit(snapshot, purge=X.attrs["window_months"], n_splits=2)
models = {"LightGBM, defaults": LGBMClassifier(num_threads=1, verbose=-1), "ChurnClassifier": custvalue.ChurnClassifier(max_rounds=60)}
for name, model in models.items():
    scores = cross_val_score(model, X, y, groups=customer, cv=folds, scoring="neg_log_loss")
    print(f"{name}: log loss over time {-scores.mean():.4f}")
random = cross_val_score(models["LightGBM, defaults"], X, y, cv=KFold(2, shuffle=True, random_state=0), scoring="neg_log_loss")
print(f"LightGBM, defaults: log loss on a random split {-random.mean():.4f}")

# %% [markdown]
# ## The model and its record
# Snapshots, slices, boosters, calibration, quality on rows set aside, and the leakage report; everything lands in MLflow under `models/`.

# %%
reporter = StepReporter(human=True)
store = Store.open(config.workspace / "models", tracking_uri=None, name=config.name, create=True)
trained = pipeline.train(config, as_of, store=store, reporter=reporter)
print(trained.report)

# %%
features = pipeline.build_features_at(config, as_of, reporter=reporter)
figures = draw_figures(trained.model, features.columns)
figures["calibration"]

# %%
figures["lift"]

# %%
figures["profit"]

# %% [markdown]
# ## Why
# Exact Shapley values in log-odds for every customer; `shap.plots` takes them as they are. The last column is the base.

# %%
bundle = trained.model.bundle
held = trained.model.test_features
values = custvalue.shap_values(bundle.booster, bundle.encode(held))
names = [name for name, _ in bundle.columns]
explanation = shap.Explanation(values[:, :-1], base_values=values[:, -1], data=bundle.encode(held), feature_names=names)
shap.plots.bar(explanation, max_display=12, show=False)
plt.gcf()

# %%
plt.figure()
riskiest = int(trained.model.test["probability"].argmax())
shap.plots.waterfall(explanation[riskiest], show=False)
plt.gcf()

# %% [markdown]
# ## The champion and tonight's list
# The gates decide, and the promotion log keeps who asked, when, and what each gate found.

# %%
verdict = store.promote(None, gates=config.promotion, actor="notebook", now=datetime.now(UTC))
print(verdict)

# %%
keys = pipeline.Keys(token=b"a key for the notebook", holdout=b"another of its own")
with pipeline.unpublished_night(config, as_of, model=store.load("champion"), keys=keys, tables=tables, reporter=reporter) as night:
    print(night.counts, file=sys.stderr)
    listed = night.rows
listed[["priority", "customer", "tier", "probability", "net_value", "reasons_en"]].head()
