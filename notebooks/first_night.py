# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # A first night
# From simulated tables to tonight's list, in Python. Run it cell by cell (Jupyter opens it through jupytext), or as a script.

# %%
import os
import sys
import tempfile
from datetime import date
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from custvalue import pipeline
from custvalue.app.console import StepReporter
from custvalue.app.workspace import create_workspace
from custvalue.churn import draw_figures
from custvalue.config import load_config
from custvalue.simulate import simulate
from custvalue.tracking import Store

# %% [markdown]
# A workspace of its own, and 3,000 synthetic customers over 18 months. Another operator's tables would go to `data/` instead.

# %%
workspace = Path(tempfile.mkdtemp()) / "workspace"
create_workspace(workspace)
config = load_config(workspace / "configs" / "demo.yaml")
config = config.model_copy(update={"churn": config.churn.model_copy(update={"snapshots": 4, "bootstrap": 100})})
simulate(config.sources.folder, customers=3000, months=18, seed=7)

# %% [markdown]
# Features: one row an active customer, every column declared.

# %%
as_of = date(2025, 7, 1)
reporter = StepReporter(human=True)
features = pipeline.build_features_at(config, as_of, reporter=reporter)
for column in features.columns[:8]:
    print(f"{column.name:<24} {column.unit:<10} {column.en}")
features.frame.head()

# %% [markdown]
# Tiers: the base and its revenue.

# %%
tiers = pipeline.assign_tiers(config, as_of, features, reporter=reporter)
pipeline.tiers_by_size(config, features, tiers)

# %% [markdown]
# Training: snapshots, splits, booster, calibration, quality on rows set aside; everything lands in MLflow under `models/`.

# %%
store = Store.open(config.workspace / "models", tracking_uri=None, name=config.name, create=True)
trained = pipeline.train(config, as_of, store=store, reporter=reporter)
print(trained.report)

# %%
figures = draw_figures(trained.model, features.columns)
figures["shap_beeswarm"]

# %%
figures["calibration"]

# %% [markdown]
# Tonight's list, with the challenger as it is (a real night takes the champion, after `custvalue promote`).

# %%
tables, freshness = pipeline.check(config, as_of, reporter=reporter)
night = pipeline.make_night(
    config, as_of, model=store.load("challenger"), run_id="notebook", token_key=b"a key for the notebook", tables=tables, reporter=reporter
)
print(night.ranking.counts, file=sys.stderr)
night.rows[["priority", "customer", "tier", "probability", "net_value", "reasons_en"]].head()
