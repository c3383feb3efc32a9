"""Customers of the pool to managers on duty: custvalue's greedy desk beside SciPy's exact assignment, and dealing round.

``python benchmarks/assignment.py [--sizes 400x20 2000x50 5000x100] [--slots 20] [--seeds 5]`` prints a Markdown table: mean over the seeds
of the share of the greatest possible net value that is served, of the customers served in their own region, of Gini coefficients (0 is
even) of what managers' lists are worth and of how full they are, each for the contacts a manager can make, and seconds.

A size is customers x managers. Tiers are met as in practice: every manager serves silver, half of them gold too, a fifth all three; one
manager in five speaks English alone, and so do a tenth of the customers. Managers begin with lists of their own that fill a random part of
their slots. ``scarce`` has more customers than free slots, ``ample`` fewer. SciPy minimises over customers x slots; the value alone, or the
value with a small part (a thousandth of the mean value) for the own region. Dealing round gives each customer, the worthiest first, to the
next manager in turn who may take him.

Exit code 1 where the greedy desk serves less than 99 % of the greatest possible value, or spreads it less evenly than SciPy.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from custvalue.retention.assignment import Desk, kinds_of

RIGHTS = (frozenset({"silver"}), frozenset({"silver", "gold"}), frozenset({"silver", "gold", "diamond"}))
FORBIDDEN = -1e9
GOAL = 0.99


@dataclass(frozen=True)
class Night:
    """Customers, the worthiest first, and managers with free slots."""

    rows: pd.DataFrame
    staff: pd.DataFrame

    @property
    def allowed(self) -> np.ndarray:
        """Who may be given to whom, (customers, managers)."""
        tiers = np.column_stack([self.rows.tier.isin(tiers) for tiers in self.staff.tiers])
        return tiers & (self.rows.language.to_numpy()[:, None] == self.staff.language.to_numpy()[None, :])

    @property
    def own_region(self) -> np.ndarray:
        """Whose region is whose, (customers, managers)."""
        return self.rows.region.to_numpy()[:, None] == self.staff.region.to_numpy()[None, :]


Way = Callable[[Night], np.ndarray]
"""Gives each customer a manager's number, -1 for none."""


def night_of(customers: int, managers: int, slots: int, *, ample: bool, seed: int) -> Night:
    """Draw a night."""
    rng = np.random.default_rng(seed)
    busy = 0.2 if ample else 0.7
    free = rng.binomial(slots, 1 - busy, managers)
    if ample:
        customers = min(customers, int(0.6 * free.sum()))
    worth = np.sort(rng.lognormal(3, 1, customers))[::-1]
    rows = pd.DataFrame({"worth": worth, "tier": rng.choice(["silver", "gold", "diamond"], customers, p=[0.6, 0.3, 0.1])})
    rows = rows.assign(region=rng.choice(list("ABCDE"), customers), language=rng.choice(["zh", "en"], customers, p=[0.9, 0.1]))
    staff = pd.DataFrame({"capacity": float(slots), "free": free}, index=pd.Index([f"M{i:03d}" for i in range(managers)]))
    staff["worth"] = (slots - free) * rng.lognormal(3, 0.2, managers)
    staff["tiers"] = [RIGHTS[number] for number in rng.choice(3, managers, p=[0.5, 0.3, 0.2])]
    staff["region"] = rng.choice(list("ABCDE"), managers)
    staff["language"] = np.where(np.arange(managers) % 5 == 4, "en", "zh")
    return Night(rows, staff)


def greedy(night: Night) -> np.ndarray:
    """Give customers as custvalue does."""
    number, kinds = kinds_of(night.rows)
    desk, place = Desk(night.staff, kinds, 0), {name: at for at, name in enumerate(night.staff.index)}
    pairs = zip(number.tolist(), night.rows.worth.tolist(), strict=True)
    return np.array([place[desk.give(kind, worth)] if desk.takes(kind) else -1 for kind, worth in pairs])


def dealing(night: Night) -> np.ndarray:
    """Give each customer to the next manager in turn."""
    allowed, free, given, turn = night.allowed, night.staff.free.to_numpy().copy(), [], 0
    for may in allowed:
        there = np.flatnonzero(may & (free > 0))
        if not len(there):
            given.append(-1)
            continue
        chosen = int(there[np.argmax(there >= turn)] if (there >= turn).any() else there[0])
        turn = (chosen + 1) % len(free)
        free[chosen] -= 1
        given.append(chosen)
    return np.array(given)


def exact(night: Night, *, region: float) -> np.ndarray:
    """Solve the assignment of customers to slots."""
    manager = np.repeat(np.arange(len(night.staff)), night.staff.free)
    gain = night.rows.worth.to_numpy()[:, None] + region * night.rows.worth.mean() * night.own_region
    gain = np.where(night.allowed, gain, FORBIDDEN)[:, manager]
    customer, slot = linear_sum_assignment(gain, maximize=True)
    given = np.full(len(night.rows), -1)
    kept = gain[customer, slot] > 0
    given[customer[kept]] = manager[slot[kept]]
    return given


WAYS: dict[str, Way] = {
    "custvalue, greedy": greedy,
    "dealing round": dealing,
    "SciPy, value": lambda night: exact(night, region=0.0),
    "SciPy, value and region": lambda night: exact(night, region=1e-3),
}


def gini(values: np.ndarray) -> float:
    """Give the mean absolute difference over twice the mean."""
    return float(np.abs(values[:, None] - values[None, :]).mean() / (2 * values.mean()))


def judged(night: Night, given: np.ndarray) -> dict[str, float]:
    """Measure an assignment."""
    done = given >= 0
    if not night.allowed[done, given[done]].all() or (np.bincount(given[done], minlength=len(night.staff)) > night.staff.free).any():
        raise AssertionError("an assignment breaks a right or a capacity")
    worth = night.rows.worth.to_numpy()
    lists = night.staff.worth + np.bincount(given[done], worth[done], minlength=len(night.staff))
    full = (night.staff.capacity - night.staff.free) + np.bincount(given[done], minlength=len(night.staff))
    return {
        "worth": float(worth[done].sum()),
        "own region": float(night.own_region[done, given[done]].mean()),
        "Gini of worth": gini((lists / night.staff.capacity).to_numpy()),
        "Gini of load": gini((full / night.staff.capacity).to_numpy()),
    }


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["400x20", "2000x50", "5000x100"])
    parser.add_argument("--slots", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    print("| customers x managers | slots | way | of the greatest value | own region | Gini of worth | Gini of load | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    missed = False
    for size in given.sizes:
        for ample in (False, True):
            customers, managers = (int(part) for part in size.split("x"))
            found: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
            for seed in range(given.seeds):
                print(f"{size} ample={ample} seed {seed}", file=sys.stderr)
                night = night_of(customers, managers, given.slots, ample=ample, seed=seed)
                for name, way in WAYS.items():
                    began = time.perf_counter()
                    result = way(night)
                    found[name].append(judged(night, result) | {"seconds": time.perf_counter() - began})
            best = [row["worth"] for row in found["SciPy, value"]]
            means = {
                name: pd.DataFrame(rows).assign(worth=lambda frame, best=best: frame.worth / best).mean() for name, rows in found.items()
            }
            for name, mean in means.items():
                figures = (
                    f"{mean['worth']:.2%}",
                    f"{mean['own region']:.0%}",
                    f"{mean['Gini of worth']:.3f}",
                    f"{mean['Gini of load']:.3f}",
                )
                print(f"| {size} | {'ample' if ample else 'scarce'} | {name} | {' | '.join(figures)} | {mean['seconds']:.3f} |")
            ours, peer = means["custvalue, greedy"], means["SciPy, value"]
            missed |= bool(ours["worth"] < GOAL or ours["Gini of worth"] > peer["Gini of worth"])
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
