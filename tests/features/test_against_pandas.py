"""Every feature equals a second computation, in plain pandas: on a simulated operator, and on rows as untidy as the contract allows."""

from __future__ import annotations

import importlib
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custvalue.config import FeaturesConfig
from custvalue.features import build_features
from custvalue.features.columns import FeatureColumn
from custvalue.simulate import simulate
from custvalue.sources import CONTRACT, Moment, cut

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ZONE = "Asia/Shanghai"
DAYS = (date(2026, 1, 1), date(2025, 8, 17), date(2025, 8, 2))
SETTINGS = FeaturesConfig(products=("TV", "宽带 300M"))
OTHER = FeaturesConfig(windows=(1, 2, 5), complaint_categories=("Network",), departing_categories=())
DELAYS = {"billing": 4, "usage": 1, "daily": 2}
OPTIONAL = {
    "customers": ["region", "status", "traffic_data_consent"], "billing": ["rent", "vas"], "usage": ["active_days", "voice_minutes"],
    "daily": ["active", "balance"], "payments": ["balance_after"], "complaints": ["category", "closed_at"], "surveys": ["answered_at"],
    "contracts": ["penalty", "product"], "contacts": ["arm", "outcome"],
}  # fmt: skip
WORDS = {
    "region": ["East"] * 6 + ["West"] * 6 + ["华北"], "plan": ["S", "M", "L"], "category": ["Network", "billing", "CANCELLATION", "other"],
    "event_type": ["port_query", "port_authorised", "competitor_hotline", "call_forwarding", "bill_query", "suspension", "plan_change"],
    "outcome": ["accepted", "Refused", "offer_refused", "do_not_contact", "no answer"], "product": ["TV", "宽带 300M", "Gold", "Cloud"],
    "kind": ["after_complaint", "yearly"], "channel": ["app", "shop"],
}  # fmt: skip
OFTEN = {
    "customers": 1, "billing": 12, "usage": 12, "daily": 50, "payments": 6, "complaints": 2, "surveys": 2, "contracts": 2, "events": 5,
    "contacts": 2, "departures": 0.3,
}  # fmt: skip
TYPES = {
    "VARCHAR": pa.string(), "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"), "BIGINT": pa.int64(), "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(), "DECIMAL(18,4)": pa.decimal128(18, 4),
}  # fmt: skip


class Untidy:
    """Random rows of every table: missing values and months, ties, boundaries, late and revised rows, strangers, returns."""

    def __init__(self, customers: int, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.ids = np.array([f"C{n:04d}" for n in range(customers)])
        edges = [Moment(day, ZONE).months_back(back).instant for day in DAYS for back in (0, 1, 3, 6, 12)]
        self.edges = np.array([edge + timedelta(microseconds=step) for edge in edges for step in (-1, 0, 1)], "datetime64[us]")
        self.joined = pd.Series(self.days(customers, "2017-01-01", 3200), index=self.ids)

    def days(self, rows: int, first: str, span: int) -> np.ndarray:
        return np.datetime64(first, "D") + self.random.integers(0, span, rows)

    def times(self, rows: int) -> np.ndarray:
        anywhere = np.datetime64("2024-04-01", "us") + self.random.integers(0, 680 * 86_400, rows) * np.timedelta64(1_000_000, "us")
        anywhere += np.where(self.random.random(rows) < 0.2, 999_999, 0) * np.timedelta64(1, "us")
        return np.where(self.random.random(rows) < 0.2, self.random.choice(self.edges, rows), anywhere)

    def amounts(self, column, owners: np.ndarray) -> np.ndarray:
        """Ten-thousandths; a few customers have the same amount always, a few nothing most of the time."""
        rows, kind = len(owners), np.array([sum(map(ord, owner)) for owner in owners], int)
        values = self.random.integers(-20_000, 2_000_000, rows) if column.minimum is None else self.random.integers(0, 2_000_000, rows)
        values = np.where(kind % 5 == 0, 333_333, values)
        return np.where((kind % 7 == 0) & (self.random.random(rows) < 0.8), 0, values)

    def values(self, column, owners: np.ndarray):
        rows = len(owners)
        if column.dtype == "VARCHAR":
            words = [*column.allowed] or WORDS.get(column.name) or [f"{column.name}-{n}" for n in range(len(self.ids) // 3)]
            words += ["active"] * 12 if column.name == "status" else []
            found = self.random.choice(words, rows)
        elif column.dtype == "BIGINT":
            found = self.random.integers(1, 11, rows) if column.name == "score" else np.minimum(self.amounts(column, owners) // 60_000, 31)
        elif column.dtype == "DOUBLE":
            found = self.random.random(rows)
        elif column.dtype == "BOOLEAN":
            found = self.random.random(rows) < 0.6
        elif column.dtype == "DATE":
            found = self.days(rows, "2024-06-01", 800)
        elif column.dtype == "TIMESTAMP":
            found = self.times(rows)
        else:
            found = np.array([Decimal(int(value)).scaleb(-4) for value in self.amounts(column, owners)], object)
        missing = self.random.random(rows) < (0.12 if column.nullable else 0)
        return pd.Series(found, dtype=object).mask(missing, None)

    def table(self, name: str) -> pd.DataFrame:
        declared, rows = CONTRACT[name], int(OFTEN[name] * len(self.ids))
        owners = self.random.choice(np.append(self.ids[: -len(self.ids) // 20], "stranger"), rows)
        if name == "customers":
            owners = np.concatenate([self.ids, self.random.choice(self.ids, rows)])
        frame = pd.DataFrame({column.name: self.values(column, owners) for column in declared.columns})
        frame["customer_id"] = owners
        if declared.key[0] != "customer_id":
            frame[declared.key[0]] = [f"{name}-{n:05d}" for n in self.random.permutation(len(frame))]
        if declared.monthly:
            frame["month"] = self.days(rows, "2024-06-01", 590).astype("datetime64[M]").astype("datetime64[D]")
        if declared.daily:
            frame["day"] = self.days(rows, "2025-05-01", 260)
        if name == "customers":
            frame["joined_on"] = pd.to_datetime(self.joined[owners].to_numpy())
            later = frame["customer_id"].duplicated().to_numpy()
            frame["valid_from"] = np.where(later, self.days(len(frame), "2024-06-01", 650), self.joined[owners])
        self.put_after(frame, "ends_on", "starts_on", pd.Timedelta(days=1), 500)
        self.put_after(frame, "closed_at", "opened_at", pd.Timedelta(hours=12), 60)
        self.put_after(frame, "answered_at", "asked_at", pd.Timedelta(hours=12), 20)
        if name == "complaints":
            frame["repeat_of"] = frame["complaint_id"].sample(frac=1, random_state=1).to_numpy()
            frame["repeat_of"] = frame["repeat_of"].mask(self.random.random(len(frame)) < 0.5, None)
        return self.revised(frame.drop_duplicates(list(declared.key)), declared)

    def put_after(self, frame: pd.DataFrame, later: str, earlier: str, step: pd.Timedelta, most: int) -> None:
        if later in frame:
            moved = pd.to_datetime(frame[earlier]) + step * self.random.integers(0, most, len(frame))
            frame[later] = moved.astype(object).where(frame[later].notna(), None)

    def revised(self, frame: pd.DataFrame, declared) -> pd.DataFrame:
        """Add when each row was known, and to some rows a second version that says other things."""
        event = pd.to_datetime(frame[declared.event])
        event = event + pd.DateOffset(months=1) if declared.monthly else event + pd.Timedelta(days=1) if declared.daily else event
        if declared.by_name[declared.event].dtype == "DATE":
            event -= pd.Timedelta(hours=8)
        late = np.where(self.random.random(len(frame)) < 0.1, self.random.integers(1, 90, len(frame)), 0)
        early = np.where(self.random.random(len(frame)) < 0.2, self.random.integers(1, 90, len(frame)), 0) * declared.announced
        frame = frame.assign(available_at=event + pd.to_timedelta(late - early, unit="D"))
        again = frame.sample(frac=0.1, random_state=2)
        fixed = {
            *declared.key,
            "customer_id",
            declared.event,
            "joined_on",
            "available_at",
            "ends_on",
            "closed_at",
            "answered_at",
            "repeat_of",
        }
        said = {c.name: self.values(c, again["customer_id"].to_numpy(str)).to_numpy() for c in declared.columns if c.name not in fixed}
        known = again["available_at"] + pd.to_timedelta(self.random.integers(1, 60, len(again)), unit="D")
        return pd.concat([frame, again.assign(**said, available_at=known)]).sample(frac=1, random_state=3)

    def write(self, folder: Path) -> Path:
        for name in OFTEN:
            schema = pa.schema([(column, TYPES[kind]) for column, kind in CONTRACT[name].types.items()])
            pq.write_table(pa.Table.from_pandas(self.table(name), schema, preserve_index=False), folder / f"{name}.parquet")
        return folder


@pytest.fixture(scope="module")
def peer():
    """The benchmark's peer; its folder leaves the path again."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("pandas_features")
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A simulated operator, an untidy one, and the latter without some of its columns, and without all that are optional."""
    made = {name: tmp_path_factory.mktemp(name) for name in ("simulated", "untidy", "partly", "barely")}
    simulate(made["simulated"], customers=800, months=24, seed=7, start=date(2024, 1, 1))
    for path in sorted(Untidy(600, seed=11).write(made["untidy"]).glob("*.parquet")):
        table, declared = pq.read_table(path), CONTRACT[path.stem]
        pq.write_table(table.drop_columns(OPTIONAL.get(path.stem, [])), made["partly"] / path.name)
        required = [column.name for column in declared.columns if column.required or column.name == declared.event]
        pq.write_table(table.select([*required, "available_at"]), made["barely"] / path.name)
    return made


def ours(folder: Path, day: date, settings: FeaturesConfig, delays: dict[str, int]):
    """The features on DuckDB, as a frame, and their declarations."""
    con = ibis.duckdb.connect()
    con.raw_sql("SET TimeZone = 'UTC'")
    moment = Moment(day, ZONE)
    known = {
        name: cut(con.read_parquet(path, table_name=name), CONTRACT[name], moment, revised=True)
        for name in OFTEN
        if (path := folder / f"{name}.parquet").exists()
    }
    built = build_features(known, moment, settings, delay_days=delays)
    return built.table.to_pandas().set_index("customer_id").sort_index(), built.columns


def differing(left: pd.DataFrame, right: pd.DataFrame, columns) -> dict[str, str]:
    """Columns that differ: in how many rows, and one of them."""
    found = {}
    for column in columns:
        one, other = left[column.name], right[column.name]
        if column.kind == "category":
            one, other = (values.astype(object).where(values.notna(), None).to_numpy() for values in (one, other))
            wrong = one != other
        else:
            one, other = (values.to_numpy(float, na_value=np.nan) for values in (one, other))
            wrong = ~np.isclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True)
        if wrong.any():
            at = np.flatnonzero(wrong)[0]
            found[column.name] = f"{wrong.sum()} rows, such as {left.index[at]}: {one[at]} here, {other[at]} in pandas"
    return found


@pytest.mark.parametrize(
    ("which", "day", "settings", "delays"),
    [
        ("simulated", DAYS[0], SETTINGS, {}),
        ("simulated", DAYS[1], SETTINGS, {}),
        ("untidy", DAYS[1], SETTINGS, {}),
        ("untidy", DAYS[2], OTHER, DELAYS),
        ("partly", DAYS[0], SETTINGS, {}),
        ("barely", DAYS[1], SETTINGS, {}),
    ],
)
def test_each_feature_equals_its_second_computation(folders, peer, which, day, settings, delays):
    here, columns = ours(folders[which], day, settings, delays)
    there = peer.build(folders[which], settings, day, zone=ZONE, delay_days=delays).set_index("customer_id").sort_index()
    assert list(there.index) == list(here.index)
    assert list(there.columns) == [column.name for column in columns]
    assert not differing(here, there, columns)


def test_the_comparison_sees_one_wrong_number_and_one_missing_word():
    words = {"en": "", "zh": "", "unit": "", "null": "", "reason": ""}
    columns = [FeatureColumn(name="plan", kind="category", **words), FeatureColumn(name="cv", **words), FeatureColumn(name="none", **words)]
    here = pd.DataFrame({"plan": ["S", None, "M"], "cv": [0.5, np.nan, 0.25], "none": [np.nan, 0.0, 1.0]}, index=["A", "B", "C"])
    there = here.assign(plan=["S", None, None], cv=[0.5 * (1 + 1e-8), np.nan, 0.25])
    assert list(differing(here, there, columns)) == ["plan", "cv"]
    assert not differing(here, here.copy(), columns)
