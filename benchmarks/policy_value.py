"""Plays simulated operators under several policies of whom to call, and compares what each earns.

Run ``python benchmarks/policy_value.py --quick`` (one scenario, two seeds, half the customers, two processes, monthly decisions) or without
it for all, with weekly ones. Every policy gets a copy of the same operator, the same slots a month and the same luck, so that what differs
is what its calls did. The exit code is 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import yaml
from contact_policies import OFFER_MONTHS, Knowledge, learn, policies, policy_of
from month_plans import ORACLE, Plan, decide, parted
from played_operator import START, Player, community_of, settings_of
from scipy.stats import t as student

from custvalue.config import Config
from custvalue.retention.value import value_kept
from custvalue.simulate import Operator

HISTORY, PLAY, AFTER, SHORT = 20, 12, 24, 12
"""Months lived before, with, and after decisions, as many as a saved customer's value counts (``value.months``); and how many of these
shorter accounts hold, which tell how much a result hangs on their end."""
DECISIONS = {"monthly": (1,), "weekly": (1, 8, 15, 22)}
"""Days of the month on which policies decide."""
KINDS = {"prepaid": ("voluntary", "port_out", "silence")}
LOTS = "many-lots"
SCENARIOS = ("postpaid", "prepaid", "enterprise", LOTS)
LOTS_NUMBERS = {"contacts": {"randomised": 0.15, "share": 0.02, "persuadable": 0.35, "sleeping_dog": 0.15, "harms_free": 1.6}}
"""Calls that do much, good and bad, and lots enough to learn it: where a learned effect can show."""
NOBODY, OURS, RANKING, KNOWING, LEARNED = "no contact", "ours", "probability ranking", "knowing", "ours, learned effect"
MISSTATED = ("ours, γ halved", "ours, γ doubled")
SUMS = ("calls", "reached", "offers", "contacts", "expected", "margin")
MOST_REGRET, LEAST_MULTIPLE = 0.2, 1.5


def play(
    scenario: str, seed: int, capacities: Sequence[float], customers: int, pilot: int, days: Sequence[int]
) -> tuple[pd.DataFrame, list[str]]:
    """Play one operator at all capacities; gives what each policy earned by community, and lines worth telling."""
    warnings.filterwarnings("ignore", category=UserWarning)
    config, months = settings_of(KINDS.get(scenario, ("voluntary", "port_out"))), HISTORY + PLAY + AFTER
    with TemporaryDirectory() as folder:
        numbers = str(Path(folder) / "lots.yaml") if scenario == LOTS else scenario
        if scenario == LOTS:
            Path(numbers).write_text(yaml.safe_dump(LOTS_NUMBERS))
        operator = Operator(numbers, customers=customers, months=months, seed=seed, start=START)
        other = Operator(numbers, customers=pilot, months=HISTORY, seed=seed + 1_000, start=START)
    operator.run(HISTORY)
    other.run(HISTORY)
    known = learn(operator, other, config, seed)
    lines = [f"{scenario}, seed {seed}: {known.learned.told}"]
    print(lines[0], file=sys.stderr, flush=True)

    def log(month: int) -> None:
        print(f"{scenario}, seed {seed}: {month} of {PLAY} months", file=sys.stderr, flush=True)

    return year(operator, known, capacities, seed, config, days, log=log).assign(scenario=scenario, seed=seed), lines


def year(
    operator: Operator,
    known: Knowledge,
    capacities: Sequence[float],
    seed: int,
    config: Config,
    days: Sequence[int],
    *,
    log: Callable[[int], None] = lambda _: None,
) -> pd.DataFrame:
    """Play a year under every policy at every capacity, and further ones in which nobody is called."""
    untouched, picks = Player(NOBODY, operator.copy()), policies(known, seed, operator.month)
    together = Player("all", operator.copy())
    players = dict.fromkeys(product((*picks, ORACLE), capacities), together)
    for month in range(PLAY):
        plans = {key: Plan(player.may_be_called(month)) for key, player in players.items()}
        base = len(untouched.operator.may_be_called())
        for day in days:
            decide(untouched, players, plans, known, picks, month, untouched.operator.month.replace(day=day), base / len(days), config)
        players = parted(players, plans)
        for key, player in {player.name: (key, player) for key, player in players.items()}.values():
            player.live(month, plans[key].made, plans[key].arpu)
        untouched.live(month, {}, pd.Series(dtype=float))
        log(month + 1)
    apart = {player.name: player for player in (untouched, *players.values())}
    for player in apart.values():
        for _ in range(AFTER):
            player.operator.step([])
    before = margins(untouched.operator)
    found = {name: earned(player, before, untouched.operator) for name, player in apart.items()}
    parts = [found[player.name].assign(policy=policy, capacity=capacity) for (policy, capacity), player in players.items()]
    return pd.concat(parts, ignore_index=True)


def margins(operator: Operator) -> pd.DataFrame:
    """Discounted margin of each customer: over the played year and all months after it, and ``short``, over a year after it."""
    value = policy_of(1).value
    # a copy, so that the use of the months after the play is not kept in every operator
    bills = operator.copy().tables(["billing"])["billing"].select(["customer_id", "month", "revenue"]).to_pandas()
    day = pd.to_datetime(bills["month"])
    ahead = (day.dt.year - START.year) * 12 + day.dt.month - START.month - HISTORY
    worth = (value.margin * bills["revenue"].astype(float) / (1 + value.monthly_discount) ** ahead).where(ahead >= 0, 0.0)
    by_customer = pd.DataFrame({"margin": worth, "short": worth.where(ahead < PLAY + SHORT, 0.0)}).groupby(bills["customer_id"])
    return by_customer.sum()


def earned(player: Player, before: pd.DataFrame, untouched: Operator) -> pd.DataFrame:
    """Give calls, costs and margin above that of calling nobody, by community."""
    terms = policy_of(1)
    calls = player.all_calls()
    back = (1 + terms.value.monthly_discount) ** -calls["month"].astype(float)
    calls = calls.assign(
        contacts=terms.contact_cost * back,
        offers=np.where(calls["accepted"].astype(bool), OFFER_MONTHS * calls["arpu"].astype(float).clip(lower=0).fillna(0.0), 0.0) * back,
        expected=calls["effect"].astype(float) * value_kept(calls["arpu"].astype(float).fillna(0.0), terms) * back,
        calls=1.0,
        reached=calls["reached"].astype(float),
    )
    by_customer = calls.groupby("customer_id")[["calls", "reached", "contacts", "offers", "expected"]].sum()
    margin = margins(player.operator).sub(before, fill_value=0.0)
    table = by_customer.reindex(by_customer.index.union(margin.index[margin["margin"] != 0]), fill_value=0.0)
    table = table.join(margin).fillna(0.0)
    costs = table["offers"] + table["contacts"]
    table["net"], table["short"] = table["margin"] - costs, table["short"] - costs
    return table.groupby(community_of(untouched).reindex(table.index)).sum().rename_axis("community").reset_index()


def interval(found: pd.DataFrame, seeds: Sequence[int | str]) -> tuple[float, float, float]:
    """Mean a seed of ``net``, with its 95 % interval: over seeds (Student's) from three on, else over communities resampled within them."""
    totals = found.groupby("seed")["net"].sum().reindex(list(seeds), fill_value=0.0)
    if len(seeds) >= 3:
        half = float(student.ppf(0.975, len(seeds) - 1) * totals.std(ddof=1) / np.sqrt(len(seeds)))
        return float(totals.mean()), float(totals.mean()) - half, float(totals.mean()) + half
    generator, values = np.random.default_rng(7), found["net"].to_numpy()
    drawn = [values @ generator.poisson(1.0, len(values)) for _ in range(2_000)]
    low, high = np.quantile(np.array(drawn) / len(seeds), [0.025, 0.975])
    return float(totals.mean()), float(low), float(high)


def difference(found: pd.DataFrame, policy: str, other: str) -> pd.DataFrame:
    """What one policy earned above another, by seed and community."""
    both = found[found["policy"].isin([policy, other])]
    sign = np.where(both["policy"] == policy, 1.0, -1.0) if policy != other else 0.0
    return both.assign(net=both["net"] * sign).groupby(["seed", "community"], as_index=False)["net"].sum()


def tables(found: pd.DataFrame, seeds: Sequence[int]) -> Iterator[str]:
    """Write one table a scenario and capacity."""
    for (scenario, capacity), rows in found.groupby(["scenario", "capacity"], sort=False):
        yield f"\n**{scenario}, {capacity:.1%} of the base a month** (currency a seed)\n"
        yield "| policy | calls | reached | offers | contacts | margin to expect | margin kept | net profit | above probability ranking |"
        yield "|---|" + "---:|" * 8
        yield f"| {NOBODY} | 0 | 0 | 0 | 0 | 0 | 0 | 0 | {told(interval(difference(rows, NOBODY, RANKING), seeds))} |"
        for policy, own in rows.groupby("policy", sort=False):
            sums = own[[*SUMS]].sum() / len(seeds)
            cells = [f"{sums[name]:,.0f}" for name in SUMS]
            above = "" if policy == RANKING else told(interval(difference(rows, str(policy), RANKING), seeds))
            yield f"| {policy} | {' | '.join(cells)} | {told(interval(own, seeds))} | {above} |"


def totals(found: pd.DataFrame, seeds: Sequence[int]) -> Iterator[str]:
    """Write one table a scenario over all capacities together: what goals are judged by."""
    for scenario, rows in found.groupby("scenario", sort=False):
        yield f"\n**{scenario}, all capacities together** (currency a seed)\n"
        earlier = f"net profit if accounts end {AFTER - SHORT} months earlier"
        yield f"| policy | net to expect | net profit | above probability ranking | seed by seed | {earlier} |"
        yield "|---|" + "---:|" * 5
        for policy, own in rows.groupby("policy", sort=False):
            expected = float((own["expected"] - own["offers"] - own["contacts"]).sum()) / len(seeds)
            net = told(interval(difference(rows, str(policy), NOBODY), seeds))
            apart = difference(rows, str(policy), RANKING)
            each = ", ".join(f"{net:,.0f}" for net in apart.groupby("seed")["net"].sum())
            above = " | " if policy == RANKING else f"{told(interval(apart, seeds))} | {each}"
            yield f"| {policy} | {expected:,.0f} | {net} | {above} | {own['short'].sum() / len(seeds):,.0f} |"
    every = found.assign(seed=found["scenario"] + found["seed"].astype(str))
    yield f"\nOurs above probability ranking, every operator: {told(interval(difference(every, OURS, RANKING), every['seed'].unique()))}."


def told(numbers: tuple[float, float, float]) -> str:
    """Write a number with its interval."""
    return f"{numbers[0]:,.0f} [{numbers[1]:,.0f} to {numbers[2]:,.0f}]"


def missed_goals(found: pd.DataFrame, seeds: Sequence[int], passed: set[str]) -> Iterator[str]:
    """Tell every goal that was missed; capacities are taken together, since one operator's are not independent."""
    for scenario, rows in found.groupby("scenario", sort=False):
        ours, ranking = (float(rows.loc[rows["policy"] == name, "net"].sum()) for name in (OURS, RANKING))
        for policy in (OURS, *MISSTATED):
            for other in (RANKING, NOBODY):
                mean, low, high = interval(difference(rows, policy, other), seeds)
                if low <= 0:
                    yield f"{scenario}: {policy} above {other} is {told((mean, low, high))}, not clearly above zero"
        if ranking > 0 and ours < LEAST_MULTIPLE * ranking:
            yield f"{scenario}: ours earned {ours / ranking:.2f} times what probability ranking did, not {LEAST_MULTIPLE}"
        if scenario in passed:
            best, learned = (float(rows.loc[rows["policy"] == name, "net"].sum()) for name in (KNOWING, LEARNED))
            if learned < (1 - MOST_REGRET) * best:
                yield f"{scenario}: regret of the learned effect to the knowing policy is {1 - learned / best:.0%}, not {MOST_REGRET:.0%}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, play, print the tables, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one scenario, two seeds, half the customers, two processes, monthly")
    parser.add_argument("--customers", type=int, default=None, help="first customers of each operator")
    parser.add_argument(
        "--pilot", type=int, default=25_000, help="other customers whose truth the knowing policy is fitted on (default: %(default)s)"
    )
    parser.add_argument("--scenarios", nargs="+", default=None, choices=SCENARIOS)
    parser.add_argument("--seeds", type=int, nargs="+", default=None)
    parser.add_argument("--capacities", type=float, nargs="+", default=[0.005, 0.02, 0.05], help="shares of the base called a month")
    parser.add_argument(
        "--decisions", choices=DECISIONS, default=None, help="how often policies decide (default: weekly, with --quick monthly)"
    )
    parser.add_argument("--processes", type=int, default=None)
    chosen = parser.parse_args(arguments)
    usual = (("postpaid",), (1, 2), 10_000, 2) if chosen.quick else (SCENARIOS, (1, 2, 3, 4, 5), 20_000, 1)
    given = (chosen.scenarios, chosen.seeds, chosen.customers, chosen.processes)
    scenarios, seeds, customers, processes = (own or each for own, each in zip(given, usual, strict=True))
    decisions = chosen.decisions or ("monthly" if chosen.quick else "weekly")
    jobs = list(product(scenarios, seeds))
    with ProcessPoolExecutor(processes) as pool:
        futures = [pool.submit(play, *job, chosen.capacities, customers, chosen.pilot, DECISIONS[decisions]) for job in jobs]
        played = [future.result() for future in futures]
    found = pd.concat([rows for rows, _ in played], ignore_index=True)
    lines = [line for _, each in played for line in each]
    passed = {scenario for scenario in scenarios if all(": learnt" in line for line in lines if line.startswith(f"{scenario},"))}
    way = "Student's t over seeds" if len(seeds) >= 3 else "communities resampled"
    length = f"{decisions} decisions over {PLAY} months, margin over {PLAY + AFTER}"
    print(f"{customers:,} customers, seeds {list(seeds)}, {length}; 95 % intervals: {way}.\n")
    print("\n".join(f"- {line}" for line in lines))
    print("\n".join([*tables(found, seeds), *totals(found, seeds)]))
    missed = list(missed_goals(found, seeds, passed))
    print("\n" + ("\n".join(f"Missed: {goal}." for goal in missed) or "Every goal is met."))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
