# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Retention: from a score to a decision, and what the decision earned
# What a contact is worth, from which risk it pays, whom that lists and whom a probability ranking would list instead, who is held out, and
# what the calls did. Run it cell by cell (Jupyter opens it through jupytext), or as a script.

# %%
import tempfile
from datetime import date
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml

import custvalue
from custvalue.config import load_retention_policy, ready_configs
from custvalue.retention import Duty, break_even, policy_contact_value, sensitivity, value_kept
from custvalue.retention.choosing import choose
from custvalue.retention.deciding import decide
from custvalue.retention.decisions import WAITING
from custvalue.retention.effect import Design, intention_to_treat, judge, required_size
from custvalue.simulate import Operator

# %% [markdown]
# A synthetic operator that can be played: 2,500 customers on whom calls do more than in life, good and bad, so that a small example shows
# something. Fourteen months have been lived under its managers' own campaigns.

# %%
scenario = Path(tempfile.mkdtemp()) / "eager.yaml"
scenario.write_text(yaml.safe_dump({"intent": {"base": -2.8}, "contacts": {"persuadable": 0.5, "sleeping_dog": 0.1, "saves": 1.0}}))
operator = Operator(scenario, customers=2500, months=24, seed=7, start=date(2024, 1, 1))
operator.run(14)
config = {
    "time_zone": "Asia/Shanghai",
    "churn": {"gap_months": 0, "horizon_months": 3, "snapshots": 3, "min_leavers": 20},
    "features": {"windows": (1, 3)},
}
read = ("customers", "billing", "usage", "complaints", "contracts", "events", "contacts", "departures")
tables = custvalue.open_tables(operator.tables(read), config)
X, y, customer, _ = custvalue.training_frame(tables, operator.month, config)
model = custvalue.ChurnClassifier(max_rounds=60).fit(X, y, groups=customer)
print(f"{len(y):,} rows, {int(y.sum())} leavers within three months")

# %% [markdown]
# ## What a contact is worth
# `reach · [p · save · (V − d) − (1 − p) · (take_up · d + harm · V)] − f`. Every number stands in the policy's YAML, where somebody can
# question it. Below the break-even a call costs more than it saves, and the more a customer pays the sooner it pays to call him.

# %%
policy = load_retention_policy(ready_configs() / "retention" / "default.yaml")
risk = np.linspace(0, 0.5, 101)
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for arpu in (20, 50, 150):
    axes.plot(risk, policy_contact_value(risk, np.full(risk.size, arpu), policy), label=f"ARPU {arpu}")
    worth = float(value_kept([arpu], policy)[0])
    point = break_even(
        value=worth,
        offer=policy.usual_offer.cost + policy.usual_offer.cost_months * arpu,
        contact_cost=policy.contact_cost,
        save=policy.save,
        take_up=policy.take_up,
        harm=policy.harm,
        reach=policy.reach,
    )
    print(f"ARPU {arpu}: {worth:,.0f} at stake, a call pays from a risk of {point:.1%}")
axes.axhline(0, color="0.6", linewidth=0.8)
axes.set(xlabel="chance of leaving", ylabel="expected net value of a call", title="From which risk a call pays")
axes.legend()

# %% [markdown]
# ## Tonight's decision
# Every customer is decided by himself: his campaign, his arm of the experiment, what is at stake, his best offer and what a contact is
# expected to earn. Then the worthiest fill the slots. A third is held out here, far more than usual, because the base is small.

# %%
policy = policy.model_copy(
    update={
        "capacity_per_manager": 200,
        "channels": {"any": "manager"},
        "campaigns": {},
        "holdout": policy.holdout.model_copy(update={"share": 0.33, "universal": 0.0, "by_tier": {}}),
    }
)
features = custvalue.build_features(tables, operator.month, config).to_pandas()
frame = pd.DataFrame(
    {
        "customer_id": features["customer_id"],
        "probability": model.predict_proba(features[X.columns])[:, 1],
        "arpu": features["revenue_mean_3m"].astype(float),
        "tier": "any",
    }
)
frame["marketing_consent"] = frame["customer_id"].isin(operator.may_be_called().to_pylist())
duty = Duty.of(None, policy, as_of=operator.month)
decided = decide(frame, policy=policy, duty=duty, holdout_key=b"a key for the notebook", as_of=operator.month)
choice = choose(decided[decided["decision"] == WAITING], duty=duty, policy=policy)
decided["decision"].value_counts()

# %%
choice.listed[["priority", "probability", "arpu", "value_at_stake", "offer", "net_value"]].head(8)

# %% [markdown]
# ## Beside a probability ranking
# The riskiest are often not worth the most. Both ways call as many, and both are valued by the same formula.

# %%
open_to_calls = decided[(decided["decision"] != "no_consent") & (decided["arm"] == "contact")]
riskiest = open_to_calls.nlargest(len(choice.listed), "probability")
pd.DataFrame(
    {
        "by expected net value": choice.listed[["probability", "arpu", "value_at_stake", "net_value"]].mean(),
        "by probability": riskiest[["probability", "arpu", "value_at_stake", "net_value"]].mean(),
    }
).round(2)

# %%
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.scatter(open_to_calls["probability"], open_to_calls["arpu"], s=4, color="0.8", label="everybody")
axes.scatter(riskiest["probability"], riskiest["arpu"], s=14, facecolors="none", edgecolors="tab:orange", label="the riskiest")
axes.scatter(choice.listed["probability"], choice.listed["arpu"], s=8, color="tab:blue", label="listed")
axes.set(xlabel="chance of leaving", ylabel="ARPU", yscale="symlog", title="Whom two rankings call")
axes.legend()

# %% [markdown]
# The least known number is γ, the chance that a reached would-be leaver stays. What the list is worth if it, or another one, is wrong:

# %%
pd.Series(sensitivity(choice.listed, policy)).round(2)

# %% [markdown]
# ## What a learned effect must show first
# Where contacts were made and withheld by lot, the effect can be learnt, and the Qini tells whether it ranks customers better than chance.
# Here: one that knows the truth of the simulator, one that says nothing, and the model's risk.

# %%
randomised = operator.tables(("contacts", "departures"))
drawn = randomised["contacts"].to_pandas().query("randomised").drop_duplicates("customer_id")
gone = set(randomised["departures"].to_pandas()["customer_id"])
print(
    f"{len(drawn)} customers were drawn by lot in {operator.months_lived} months, and {drawn['customer_id'].isin(gone).sum()} of them left:"
)
print("too few to learn from, so that the stated numbers hold.")
chances = operator.effects().to_pandas().merge(frame[["customer_id", "probability"]], on="customer_id")
effect = chances["chance_if_not_called"] - chances["chance_if_called"]
generator = np.random.default_rng(7)
lot = generator.random(len(chances)) < 0.5
stays = generator.random(len(chances)) >= np.where(lot, chances["chance_if_called"], chances["chance_if_not_called"])
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for name, score in {"the true effect": effect, "the risk": chances["probability"], "nothing": np.zeros(len(chances))}.items():
    share, gain = custvalue.metrics.qini_curve(stays, lot, score)
    axes.plot(share, gain, label=f"{name}: Qini {custvalue.metrics.qini_score(stays, lot, score):.4f}")
axes.set(xlabel="share contacted", ylabel="customers kept by each contact", title="Gains of one simulated lot")
axes.legend()

# %% [markdown]
# ## Call, and look at what it did
# Four months: everybody is scored anew, the list is called, and who would have been listed but is held out is written down unseen. Each
# customer counts from his first (would-be) listing.

# %%
exposures = []
for _ in range(4):
    tables = custvalue.open_tables(operator.tables(read), config)
    features = custvalue.build_features(tables, operator.month, config).to_pandas()
    frame = pd.DataFrame(
        {
            "customer_id": features["customer_id"],
            "probability": model.predict_proba(features[X.columns])[:, 1],
            "arpu": features["revenue_mean_3m"].astype(float),
            "tier": "any",
        }
    )
    frame["marketing_consent"] = frame["customer_id"].isin(operator.may_be_called().to_pylist())
    seen = pd.concat(exposures)["customer_id"] if exposures else []
    frame = frame[~frame["customer_id"].isin(seen)]
    decided = decide(frame, policy=policy, duty=duty, holdout_key=b"a key for the notebook", as_of=operator.month)
    choice = choose(decided[decided["decision"] == WAITING], duty=duty, policy=policy)
    exposures += [choice.listed.assign(listed=True, night=operator.month), choice.would_be.assign(listed=False, night=operator.month)]
    operator.step(choice.listed["customer_id"].tolist())
for _ in range(3):
    operator.step([])
exposure = pd.concat(exposures, ignore_index=True)
left_on = operator.tables(["departures"])["departures"].to_pandas().set_index("customer_id")["left_on"]
day = pd.to_datetime(exposure["customer_id"].map(left_on))
night = pd.to_datetime(exposure["night"])
exposure["left"] = ((day > night) & (day <= night + pd.DateOffset(months=3))).astype(float)
exposure.groupby("listed")["left"].agg(["size", "sum", "mean"])

# %% [markdown]
# The difference, stratum by stratum, with its interval; and whether it may be believed. A comparison with customers who were *not* listed
# would say that calls drive customers away: those listed were at risk to begin with.

# %%
design = Design.of(exposure["listed"], stratum=exposure["stratum"], unit=exposure["unit"])
found = intention_to_treat(design, exposure["left"])
verdict = judge(design, exposure["left"], found, planned=-0.03)
print(f"listed minus held out: {found.value:+.1%} [{found.low:+.1%} to {found.high:+.1%}]: {verdict.verdict.replace('_', ' ')}")
print(f"a change of 3 points needs {verdict.needs:,} customers; there are {verdict.has:,}, which show {verdict.detectable:.1%} or more")
everybody = decided.loc[~decided["customer_id"].isin(exposure["customer_id"]), "customer_id"]
rates = exposure.groupby("listed")["left"].mean()
print(f"the naive way: {rates[True]:.1%} of the listed left, {everybody.isin(left_on.index).mean():.1%} of those whom no list would hold")
print(f"from 8 to 6 %, a tenth held out: {required_size(0.08, 0.06, 0.1).customers:,} customers")

# %%
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.bar(["held out", "listed"], [rates[False], rates[True]], color=["0.7", "tab:blue"])
axes.errorbar([1], [rates[False] + found.value], yerr=[[found.value - found.low], [found.high - found.value]], color="black", capsize=4)
axes.set(ylabel="left within three months", title="Intention to treat, with its 95 % interval")

# %% [markdown]
# `benchmarks/policy_value.py` plays whole years under several policies with the same luck; `docs/policy-value.md` tells what each earned.
# The best next step is the operator's own holdout: after a year it says what γ, reach and harm are here.
