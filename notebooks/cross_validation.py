# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Your own model, judged honestly
# Labelled snapshots and folds over time for any scikit-learn estimator. The tables may be pandas, Arrow or Ibis tables, or a folder.

# %%
import tempfile
from datetime import date
from pathlib import Path

import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.model_selection import KFold, cross_val_score

import custvalue
from custvalue.simulate import simulate

# %% [markdown]
# 3,000 synthetic customers over 20 months stand in for an operator's tables. They are typed and checked once.

# %%
folder = Path(tempfile.mkdtemp()) / "data"
simulate(folder, customers=3000, months=20, seed=7)
config = {"time_zone": "Asia/Shanghai", "features": {"windows": [1, 3, 6]}, "churn": {"snapshots": 10}}
tables = custvalue.open_tables(folder, config)

# %% [markdown]
# The labelled snapshots: one row an active customer and snapshot, on days spread over the month, because a night may fall on any day.
# Nothing in a row was known later than its snapshot.

# %%
frame = custvalue.training_frame(tables, date(2025, 9, 1), config, log=print)
X, y, customer, snapshot = frame
pd.Series(X.attrs["columns"], name="meaning").to_frame().head(8)

# %%
frame.describe().assign(rate=lambda rows: rows.leavers / rows.active)

# %% [markdown]
# Folds with a rolling origin: each trains on snapshots whose outcome windows were over by its test snapshot, and no customer is on both
# sides. The random split beside it lets the same customers in on both sides, with overlapping windows, and flatters the model.

# %%
model = LGBMClassifier(n_estimators=80, num_leaves=7, learning_rate=0.05, num_threads=1, verbose=-1)
folds = custvalue.TimeSplit(snapshot, purge=X.attrs["window_months"], n_splits=3)
honest = cross_val_score(model, X, y, groups=customer, cv=folds, scoring="roc_auc")
random = cross_val_score(model, X, y, cv=KFold(3, shuffle=True, random_state=0), scoring="roc_auc")
print(f"AUC over time {honest.mean():.3f} (folds {', '.join(f'{score:.3f}' for score in honest)}), random split {random.mean():.3f}")

# %% [markdown]
# Tonight's features, for the fitted model to score.

# %%
model.fit(X, y)
tonight = custvalue.build_features(tables, "2025-09-01", config).to_pandas().set_index("customer_id")
tonight = tonight.astype(X.dtypes)[X.columns]
pd.Series(model.predict_proba(tonight)[:, 1], index=tonight.index, name="probability").nlargest(5)
