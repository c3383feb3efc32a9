# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # A tier policy, from the file to a decision
# Load a policy, rate a base month by month, ask why a customer holds a tier, and see what an edit would do before anybody signs it. On your
# own tables `custvalue tiers` and `custvalue what-if` do the same.

# %%
import re
import tempfile
from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import yaml
from matplotlib.figure import Figure

from custvalue import TierPolicy, pipeline
from custvalue.app.workspace import create_workspace
from custvalue.config import load_config
from custvalue.pipeline.tiering import rate
from custvalue.simulate import simulate
from custvalue.sources import add_months, open_tables
from custvalue.tiers import tier_history, tier_table
from custvalue.tiers.measures.migration import joined_tiers, migration_table, move_table
from custvalue.tiers.measures.movements import movement_table
from custvalue.tiers.measures.plots import migration_figure
from custvalue.tiers.measures.stability import change_table, flip_flops, rating_steps
from custvalue.tiers.segments import SegmentModel
from custvalue.tiers.segments.signals import signal_columns
from custvalue.wording import load_catalogue

# %% [markdown]
# A workspace of its own, and 1,500 synthetic customers over two years. Only the tables that a tier policy reads are kept, and the windows
# that this one names: what needs the others is switched off.

# %%
workspace = Path(tempfile.mkdtemp()) / "workspace"
create_workspace(workspace)
config = load_config(workspace / "configs" / "demo.yaml")
text = config.tier_policy.read_text(encoding="utf-8")
windows = sorted({1, *map(int, re.findall(r"_(\d+)m\b", text))})
config = config.model_copy(update={"features": config.features.model_copy(update={"windows": tuple(windows)})})
simulate(config.sources.folder, customers=1500, months=24, seed=7)
for path in config.sources.folder.glob("*.parquet"):
    if path.stem not in ("customers", "billing", "usage", "complaints", "departures"):
        path.unlink()
tables = open_tables(config)

# %% [markdown]
# ## The policy
# A YAML file that a manager can read: who is rated, what gives points, where the cuts lie, what keeps a tier from flickering, whom a
# complaint protects, and what each tier is owed.

# %%
policy = TierPolicy.from_yaml(config.tier_policy)
print(text)

# %%
pd.DataFrame({tier: standard.model_dump(exclude={"care"}) for tier, standard in policy.config.service.items()}).transpose()

# %% [markdown]
# ## A first rating
# `tier_facts` builds only what a policy reads of every customer active on the day. `fit` finds the cuts, once, and keeps them as data;
# here they are written in the file. `assign` makes one step: from the tiers before, none on the first day, to those of the day.

# %%
days = [add_months(date(2025, 1, 1), month) for month in range(0, 13, 2)]
metric = policy.config.rules["points"].components["arpu"].metric
facts = pipeline.tier_facts(config, tables, days[0], [policy], also=[metric])
policy = policy.fit(facts, as_of=days[0])
print(policy.cuts)
tier_table(policy.assign(facts, as_of=days[0]), facts, order=policy.tiers, metric=metric)

# %% [markdown]
# ## A proposal
# The same policy with diamond and gold made rarer, and nothing that keeps a tier: no validity, no months in a row, no grace, no largest
# step. Its version is raised, because a version never changes its content.

# %%
content = yaml.safe_load(text)
content["version"] += 1
content["rules"]["points"]["cuts"] = {"kind": "thresholds", "at_least": {"diamond": 170, "gold": 105, "silver": 55}}
content["stability"] = {"validity_months": 0}
draft = workspace / "configs" / "tiers" / "draft.yaml"
draft.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
proposed = TierPolicy.from_yaml(draft).fit(facts, as_of=days[0])
both = {"in force": policy, "proposed": proposed}
print(policy.label, "→", proposed.label)

# %% [markdown]
# ## A year of ratings
# Each rating starts from the one before, for both policies on the same facts; every second month here, to be quick. On your tables
# `custvalue tiers --from` rates on every day that the policy names, and keeps the ratings. The history has a row for every stretch of time
# that a customer held one tier.

# %%
ratings: dict[str, list[pa.Table]] = {name: [] for name in both}
for day in days:
    also = [metric, *(signal_columns() if day == days[-1] else ())]
    facts = pipeline.tier_facts(config, tables, day, list(both.values()), also=also)
    for name, one in both.items():
        ratings[name].append(rate(one, facts, day, previous=ratings[name][-1] if ratings[name] else None)[1])
in_force = dict(zip(days, ratings["in force"], strict=True))
history = tier_history({day: ibis.memtable(table) for day, table in in_force.items()}).order_by("customer_id", "valid_from").to_pandas()
print(f"{sum(table.num_rows for table in in_force.values()):,} rows of ratings, {len(history):,} rows of history")
history[history.customer_id.duplicated(keep=False)].head(8)

# %% [markdown]
# Who moved at the last rating, and what held the others:

# %%
last, now = (ibis.memtable(table) for table in ratings["in force"][-2:])
movement_table(last, now, policy.tiers)

# %% [markdown]
# ## Why this tier?
# One customer for every reason that keeps a tier which the score alone would not give, in both languages.

# %%
state = ratings["in force"][-1].to_pandas()
held = state[
    state.reason_code.isin(["within_validity", "below_too_briefly", "grace", "protected_open_complaint", "protected_justified_complaint"])
]
for customer in held.drop_duplicates("reason_code").customer_id:
    print(policy.explain(customer, facts, state, language="en", as_of=days[-1]))
    print(policy.explain(customer, facts, state, language="zh", as_of=days[-1]))

# %% [markdown]
# ## Stability
# The share of customers whose tier changes from rating to rating, and of those who change and change back within the year. What keeps tiers
# makes the difference: under the policy in force nobody falls inside the first validity.

# %%
changes = {}
for name, one in both.items():
    placed = [table.append_column("place", pa.array([place] * table.num_rows)) for place, table in enumerate(ratings[name])]
    steps = rating_steps(ibis.memtable(pa.concat_tables(placed)), one.tiers)
    changes[name] = change_table(steps)
    print(f"{name:<10} changed and changed back: {flip_flops(steps).rate:.1%}")

# %%
figure = Figure(figsize=(7.6, 3.6), layout="constrained")
axes = figure.subplots()
for name, counted in changes.items():
    axes.plot([days[place] for place in counted.place], 100 * (counted.up + counted.down) / counted.customers, marker="o", label=name)
axes.set(ylabel="Customers whose tier changes, %", ylim=(0, None))
axes.legend(frameon=False)
figures = {"stability": figure}
figures["stability"]

# %% [markdown]
# ## What the proposal would do
# On the last day it takes over from the policy in force: with its transition rule (the higher of old and new for a year), so that nobody
# falls on that day. In the long run, had it been in force all year, it is another base.

# %%
switched = proposed.assign(facts, as_of=days[-1], previous=ratings["in force"][-1])
switch = joined_tiers(now, switched, facts, metric=metric)
move_table(switch)

# %%
long_run = joined_tiers(now, ibis.memtable(ratings["proposed"][-1]), facts, metric=metric)
migration_figure(migration_table(long_run), proposed.tiers, before="policy in force", after="proposal, in the long run")

# %% [markdown]
# ## Who they are: behavioural segments inside a tier
# The shares of use, without the amount spent, that the tier tells already. As many segments as are found again in other halves of the
# customers: one alone where none are.

# %%
model = SegmentModel.fit(facts, as_of=days[-1], log=print)
words = model.words(load_catalogue(config.wording), "en")
segments = model.assign(facts).to_pandas().set_index("customer_id").segment.map(words)
tiers = now.to_pandas().set_index("customer_id").tier
pd.crosstab(tiers, segments).reindex([*policy.tiers, "unrated"])
