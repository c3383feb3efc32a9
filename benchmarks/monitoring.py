"""How often monitoring raises a false alarm over quiet months of simulated operators, and how soon it sees a launch and a feed outage.

Run ``python benchmarks/monitoring.py [--customers N] [--seeds …] [--keep FOLDER]``. An operator is trained once; its nights are the firsts
of the twelve months that follow, each compared with the night before and with training. From one month on the same operator goes another
way: a tariff is launched, the usage of one region never comes, or a whole month of it comes nine days late. Peers are the usual rules on
the same counts: a stability index above a fixed limit in any column, and a χ² test of every column at 5 %. Limits were chosen on seed 7.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pandas as pd
import yaml
from simulated_rows import open_operator

from custvalue.churn import ModelBundle, train_model, training_frame
from custvalue.config import Config, FeaturesConfig, MonitoringConfig
from custvalue.engines.duckdb import within_memory
from custvalue.features import compute_features
from custvalue.monitoring import Comparison, Finding, Profile, Reference, canary, compare, count_part
from custvalue.monitoring.canary import TRAINING
from custvalue.simulate import simulate
from custvalue.sources import SourceTables, add_months

START, ORIGIN, NIGHTS, CHANGE, WATCHED = date(2023, 1, 1), 20, 12, 26, 3
"""First month; months until training; nights; the month in which something happens; nights in which it should be seen."""
QUIET, LAUNCH, REGION, LATE = "nothing", "tariff-launch", "feed-outage: one region never comes", "feed-outage: a month comes late"
_CALM: dict[str, object] = {"price_rises": [], "feeds": {"outages": 0.0}, "daily_months": None}
SCENARIOS: dict[str, dict[str, object]] = {
    QUIET: _CALM,
    LAUNCH: _CALM | {"launch": {"month": CHANGE, "moves": 0.12, "beyond": 0.25, "symptoms": 0.35, "moved": -0.4, "left_behind": 0.3}},
    REGION: _CALM | {"feeds": {"outages": 0.0, "missing_usage_month": CHANGE, "missing_usage_region": 2}},
    LATE: _CALM | {"feeds": {"outages": 0.0, "late_usage_month": CHANGE, "late_usage_days": 9}},
}
FIRST = CHANGE + 1 - ORIGIN
"""The night on which a change can first be seen: when its month is over."""
Rule = Callable[[Sequence[Comparison], Sequence[Finding]], list[str]]
Profiles = dict[tuple[str, int], Profile]


def _trained(compared: Sequence[Comparison]) -> list[Comparison]:
    return [each for each in compared if each.column and each.against == TRAINING]


OURS = "custvalue"
RULES: dict[str, Rule] = {
    OURS: lambda _, found: [f"{each.code} {each.column or 'score'}/{each.against} {each.figure:.2f}" for each in found],
    "any column's index above 0.2": lambda compared, _: [each.column for each in _trained(compared) if each.stability.psi > 0.2],
    "any column's index above 0.1": lambda compared, _: [each.column for each in _trained(compared) if each.stability.psi > 0.1],
    "any column's χ² test at 5 %": lambda compared, _: [each.column for each in _trained(compared) if each.stability.p_value <= 0.05],
}


def counted(folder: Path, seed: int, customers: int) -> tuple[Reference, Profiles]:
    """Give an operator's reference and the profiles of its nights; what the folder holds is not made again."""
    kept = folder / f"seed-{seed}-{customers}.json"
    if kept.is_file():
        content = json.loads(kept.read_text())
        profiles = {(each["change"], each["night"]): Profile.from_dict(each["profile"]) for each in content["nights"]}
        return Reference.from_dict(content["reference"]), profiles
    reference, bundle = _train(folder, seed, customers)
    profiles = {
        (change, night): profile
        for change in SCENARIOS
        for night, profile in _count_nights(folder, change, seed, customers, reference, bundle)
    }
    for change in SCENARIOS:  # up to the change the operator is the same one
        if profiles[change, FIRST - 1].to_dict() != profiles[QUIET, FIRST - 1].to_dict():
            raise SystemExit(f"{change}, seed {seed}: the operator differs from the quiet one before anything happened")
    nights = [{"change": change, "night": night, "profile": profile.to_dict()} for (change, night), profile in profiles.items()]
    kept.write_text(json.dumps({"reference": reference.to_dict(), "nights": nights}))
    return reference, profiles


def _opened(folder: Path, change: str, seed: int, customers: int) -> tuple[SourceTables, Config]:
    (folder / "scenario.yaml").write_text(yaml.safe_dump(SCENARIOS[change]), encoding="utf-8")
    simulate(folder / "data", customers=customers, months=ORIGIN + NIGHTS + 1, seed=seed, start=START, scenario=folder / "scenario.yaml")
    tables, config = open_operator(folder / "data", bootstrap=50)
    return tables, config.model_copy(update={"features": FeaturesConfig(windows=(1, 3))})


def _train(folder: Path, seed: int, customers: int) -> tuple[Reference, ModelBundle]:
    tables, config = _opened(folder, QUIET, seed, customers)
    as_of = add_months(START, ORIGIN)
    frame, columns, spec = training_frame(tables, as_of, config.churn, config.features)
    model = train_model(frame, columns, config.churn, as_of=as_of, feature_spec_hash=spec)
    own, rows = model.bundle, model.test
    days = (frame.X, frame.snapshot)
    reference = Reference.of(
        model.test_features, own.columns, rows.probability, customers=rows.customer, vocabularies=own.vocabularies, days=days
    )
    print(f"seed {seed}: trained on {len(frame):,} rows", file=sys.stderr, flush=True)
    return reference, own


def _count_nights(
    folder: Path, change: str, seed: int, customers: int, reference: Reference, bundle: ModelBundle
) -> Iterator[tuple[int, Profile]]:
    tables, config = _opened(folder, change, seed, customers)
    for night in range(NIGHTS + 1) if change == QUIET else range(FIRST - 1, FIRST + WATCHED):
        day = add_months(START, ORIGIN + night)
        with within_memory(tables.con, "features"):
            built = compute_features(tables.con, tables.known(day), tables.moment(day), config.features, delay_days=tables.delay_days)
            facts = built.table.to_pandas()
        yield night, count_part(facts, bundle.predict_proba(facts), reference)
        print(f"seed {seed}, {change}: night {night}", file=sys.stderr, flush=True)


def alarms(reference: Reference, profiles: Profiles, seed: int, limits: MonitoringConfig) -> Iterator[tuple[str, int, int, str, int]]:
    """Give change, seed, night, rule and number of alarms."""
    for (change, night), now in profiles.items():
        before = profiles.get((change, night - 1))
        if before is None:
            continue
        compared, found = compare(now, before, reference, limits), canary(now, before, reference, limits)
        for rule, look in RULES.items():
            told = look(compared, found)
            yield change, seed, night, rule, len(told)
            if rule == OURS and told:
                print(f"seed {seed}, {change}, night {night}: {'; '.join(told[:8])}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, print the tables, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--customers", type=int, default=6_000, help="first customers of each operator (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--keep", type=Path, help="folder that keeps the counts, so that limits can be changed without counting again")
    chosen = parser.parse_args(arguments)
    limits, told = MonitoringConfig(), []
    with ExitStack() as stack:
        folder = chosen.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        for seed in chosen.seeds:
            told += list(alarms(*counted(folder, seed, chosen.customers), seed, limits))
    print_tables(pd.DataFrame(told, columns=["change", "seed", "night", "rule", "alarms"]), chosen)
    return 0


def print_tables(told: pd.DataFrame, chosen: argparse.Namespace) -> None:
    """Print false alarms of the quiet nights, then how soon each change was seen."""
    print(f"{chosen.customers:,} customers an operator, seeds {chosen.seeds}; {NIGHTS} quiet monthly nights each.\n")
    print("| rule | quiet nights | of them with an alarm | alarms a quiet night |\n|---|---:|---:|---:|")
    for rule, rows in told[told.change == QUIET].groupby("rule", sort=False):
        print(f"| {rule} | {len(rows)} | {(rows.alarms > 0).sum()} ({(rows.alarms > 0).mean():.0%}) | {rows.alarms.mean():.2f} |")
    print("\n| change | rule | operators | seen on the first night | nights until seen | alarms on the first night |")
    print("|---|---|---:|---:|---|---:|")
    changed = told[(told.change != QUIET) & (told.night >= FIRST)]
    for (change, rule), rows in changed.groupby(["change", "rule"], sort=False):
        seen = rows[rows.alarms > 0].groupby("seed").night.min() - FIRST
        waits = ", ".join(str(seen.get(seed, "never")) for seed in chosen.seeds)
        first = rows[rows.night == FIRST].alarms.mean()
        print(f"| {change} | {rule} | {len(chosen.seeds)} | {(seen == 0).sum()} | {waits} | {first:.1f} |")


if __name__ == "__main__":
    sys.exit(main())
