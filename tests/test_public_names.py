"""The Python surface: light to import, two lines to a cross-validated score, and wrong arguments told at the call."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from lightgbm import LGBMClassifier
from sklearn.model_selection import cross_val_score

import custvalue
from custvalue.errors import ConfigError, DataError, ModelError

AS_OF = "2024-12-01"
CUSTOMERS, FIRST, MONTHS = 400, pd.Period("2023-06", "M"), 18
CHURN = {"gap_months": 0, "horizon_months": 1, "min_leavers": 10, "snapshots": 5}
CONFIG = {"churn": CHURN, "features": {"windows": [1, 3]}}


def operator(seed: int = 0) -> dict[str, pd.DataFrame]:
    """Invented customers whose bills fall in the two months before they leave, as a notebook might hold them."""
    random = np.random.default_rng(seed)
    ids = [f"synthetic-{number:03d}" for number in range(CUSTOMERS)]
    months = pd.period_range(FIRST, periods=MONTHS, freq="M")
    leaves = np.where(random.random(CUSTOMERS) < 0.6, random.integers(3, MONTHS, CUSTOMERS), MONTHS + 9)
    bills = []
    for number, customer in enumerate(ids):
        for place, month in enumerate(months[: leaves[number] + 1]):
            falls = 0.5 if place >= leaves[number] - 2 else 1.0
            bills.append({"customer_id": customer, "month": month, "revenue": round(50 * falls * random.lognormal(0, 0.1), 2)})
    left = [
        (customer, months[place].to_timestamp() + timedelta(days=int(random.integers(1, 28))))
        for customer, place in zip(ids, leaves, strict=True)
        if place < MONTHS
    ]
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": ids,
                "valid_from": date(2023, 1, 1),
                "joined_on": date(2023, 1, 1),
                "plan": random.choice(["S", "L"], CUSTOMERS),
            }
        ),
        "billing": pd.DataFrame(bills),
        "departures": pd.DataFrame(left, columns=["customer_id", "left_on"]).assign(kind="voluntary"),
    }


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return operator()


@pytest.fixture(scope="module")
def frame(tables):
    return custvalue.training_frame(tables, AS_OF, CONFIG)


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_importing_the_package_loads_nothing_else() -> None:
    heavy = {"numpy", "pandas", "pyarrow", "ibis", "duckdb", "lightgbm", "sklearn", "mlflow", "pydantic", "yaml"}
    loaded = python("import sys, custvalue; dir(custvalue); print(*sys.modules)").split()
    assert heavy & set(loaded) == set()
    control = python("import sys, custvalue; custvalue.TimeSplit; print(*sys.modules)").split()
    assert {"numpy", "pandas"} <= set(control)


@pytest.mark.parametrize("name", custvalue.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert name in dir(custvalue)
    assert (getattr(custvalue, name).__doc__ or "").strip()


def test_the_list_of_names_is_the_one_that_loads() -> None:
    assert sorted(custvalue._HOMES) == custvalue.__all__
    assert {"TimeSplit", "build_features", "load_champion", "metrics", "read_published", "training_frame"} <= set(custvalue.__all__)


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'TimesSplit'; it has .*TimeSplit"):
        _ = custvalue.TimesSplit


def test_two_lines_give_a_cross_validated_score(tables) -> None:
    X, y, customer, snapshot = custvalue.training_frame(tables, AS_OF, CONFIG)
    cv = custvalue.TimeSplit(snapshot, purge=X.attrs["window_months"], n_splits=3)
    model = LGBMClassifier(n_estimators=30, num_threads=1, verbose=-1)
    scores = cross_val_score(model, X, y, groups=customer, cv=cv, scoring="roc_auc")
    assert scores.shape == (3,)
    assert scores.mean() > 0.6  # the bills fall before people leave


def test_the_parts_of_a_frame_are_what_scikit_learn_wants(frame) -> None:
    X, y, customer, snapshot = frame
    assert (X.shape[0], y.dtype, snapshot.dtype) == (y.size, np.int8, np.dtype("datetime64[D]"))
    assert y.size == customer.size == snapshot.size
    assert 0 < y.mean() < 0.3
    assert X.dtypes.map(lambda dtype: dtype == np.float64 or isinstance(dtype, pd.CategoricalDtype)).all()
    assert isinstance(X["plan"].dtype, pd.CategoricalDtype)
    assert set(X.attrs["columns"]) == set(X.columns)
    assert re.fullmatch(r".*mean of 3 month\(s\).* \(money\); missing: .+", X.attrs["columns"]["revenue_mean_3m"])
    assert X.attrs["window_months"] == 1


def test_notes_of_the_work_go_to_whoever_wants_them(tables) -> None:
    lines: list[str] = []
    custvalue.training_frame(tables, AS_OF, CONFIG, log=lines.append)
    assert any(re.match(r"snapshot 2024-11-01: \d+ active, \d+ left in the window", line) for line in lines)


def as_files(tables, folder):
    for name, table in tables.items():
        table.assign(**({"month": table.month.dt.to_timestamp()} if name == "billing" else {})).to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_frames_of_any_kind_folders_and_opened_tables_give_the_same(tables, frame, tmp_path) -> None:
    first_days = {name: table.assign(month=table.month.dt.to_timestamp()) if "month" in table else table for name, table in tables.items()}
    ways = {
        "arrow": {name: pa.Table.from_pandas(table) for name, table in first_days.items()},
        "ibis": {name: ibis.memtable(pa.Table.from_pandas(table)) for name, table in first_days.items()},
        "index": {name: table.set_index(list(table.columns[:2])) for name, table in tables.items()},
        "folder": as_files(tables, tmp_path),
        "folder as text": str(tmp_path),
        "opened": custvalue.open_tables(tables, CONFIG),
    }
    for given in ways.values():
        other = custvalue.training_frame(given, date(2024, 12, 1), CONFIG)
        pd.testing.assert_frame_equal(other.X, frame.X)
        assert other.customer.tolist() == frame.customer.tolist()
        assert other.y.tolist() == frame.y.tolist()


def test_features_are_an_ibis_table_of_the_active_customers(tables) -> None:
    opened = custvalue.open_tables(tables, CONFIG)
    built = custvalue.build_features(opened, pd.Timestamp(AS_OF), CONFIG)
    assert isinstance(built, ibis.Table)
    found = built.to_pandas().set_index("customer_id")
    gone = set(tables["departures"].query("left_on <= @AS_OF").customer_id)
    assert set(found.index) == set(tables["customers"].customer_id) - gone
    bills = tables["billing"][tables["billing"].month == pd.Period("2024-11", "M")].set_index("customer_id").revenue
    assert found.revenue_mean_1m.to_dict() == pytest.approx(bills[found.index].to_dict())


def test_frames_are_checked_as_files_are(tables) -> None:
    twice = tables | {"customers": pd.concat([tables["customers"]] * 2)}
    with pytest.raises(DataError, match="key comes twice"):
        custvalue.open_tables(twice)
    with pytest.raises(DataError, match=r"required table\(s\) missing: departures"):
        custvalue.open_tables({name: tables[name] for name in ("customers", "billing")})
    mixed = tables | {"customers": tables["customers"].assign(plan=[1, "two"] * (CUSTOMERS // 2))}
    with pytest.raises(DataError, match=r"table customers: does not convert to Arrow: .*plan.* Give each column one type"):
        custvalue.open_tables(mixed)


def test_temporary_files_go_with_the_opened_tables(tables, tmp_path, monkeypatch) -> None:
    import gc
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened = custvalue.open_tables(tables, CONFIG)
    assert opened.known(date(2024, 12, 1))["billing"].count().execute() > 0
    del opened
    gc.collect()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DataError):
        custvalue.open_tables({"customers": tables["customers"]})
    assert list(tmp_path.iterdir()) == []


def test_a_feed_that_had_not_arrived_is_told(tables) -> None:
    with pytest.raises(DataError, match="billing"):
        custvalue.build_features(tables, "2025-02-01", CONFIG)


@pytest.mark.parametrize(
    ("as_of", "told"),
    [
        ("July 2025", "as_of must be a day such as '2025-07-01'; it is 'July 2025'"),
        (20250701, "as_of must be a date or a text such as '2025-07-01'; it is 20250701"),
        (
            datetime(2025, 7, 1, 12),
            "as_of is a day, seen from its 00:00 in the config's time zone; 2025-07-01 12:00:00 names another moment",
        ),
        (datetime(2025, 7, 1, tzinfo=UTC), "names another moment: give its date"),
        (None, "it is None"),
    ],
)
def test_a_wrong_day_is_told(tables, as_of, told) -> None:
    for call in (custvalue.training_frame, custvalue.build_features):
        with pytest.raises(ConfigError, match=re.escape(told)):
            call(tables, as_of, CONFIG)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"bills": pd.DataFrame()}, "'bills' is no contract table. Did you mean 'billing'? These are: customers, billing"),
        ({"customers": [1, 2]}, "table customers must be a pandas, Arrow or Ibis table; it is list"),
        (
            pd.DataFrame(),
            "tables must be a dict such as {'customers': …, 'billing': …, 'departures': …}, a folder, or what `open_tables` gave",
        ),
    ],
)
def test_wrong_tables_are_told(given, told) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        custvalue.training_frame(given, AS_OF)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"churn": {"horizon": 2}}, "config: churn.horizon: Extra inputs are not permitted"),
        ({"time_zone": "Peking"}, "unknown time zone 'Peking'; use an IANA name such as Asia/Shanghai"),
        (3, "config must be a Config, a dict of its keys such as {'churn': {'gap_months': 0}}, a YAML file or None; it is int"),
        ("no-such.yaml", "no-such.yaml: cannot be read"),
    ],
)
def test_a_wrong_config_is_told(tables, config, told) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        custvalue.training_frame(tables, AS_OF, config)


def test_too_few_leavers_for_the_defaults_are_told(tables) -> None:
    stayers = tables | {"departures": tables["departures"].head(3)}
    with pytest.raises(ModelError, match="3 leavers"):
        custvalue.training_frame(stayers, AS_OF)


def test_a_yaml_file_is_a_config_and_names_its_tables_folder(tables, frame, tmp_path) -> None:
    (tmp_path / "data").mkdir()
    as_files(tables, tmp_path / "data")
    written = CONFIG | {"sources": {"folder": "${CUSTVALUE_NO_SUCH_FOLDER:-data}"}, "tier_policy": "t", "retention_policy": "r"}
    (tmp_path / "operator.yaml").write_text(yaml.safe_dump(written))
    config = custvalue.load_config(tmp_path / "operator.yaml")
    for given in (config, tmp_path / "operator.yaml"):
        pd.testing.assert_frame_equal(custvalue.training_frame(config.sources.folder, AS_OF, given).X, frame.X)
    (tmp_path / "operator.yaml").write_text(yaml.safe_dump(written | {"sources": {"folder": "${CUSTVALUE_NO_SUCH_FOLDER}"}}))
    with pytest.raises(ConfigError, match=re.escape("In Python: load_config(path, environ=os.environ)")):
        custvalue.training_frame(tables, AS_OF, tmp_path / "operator.yaml")


def test_what_is_not_published_or_promoted_is_told(tmp_path) -> None:
    (tmp_path / "operator.yaml").write_text(yaml.safe_dump({"sources": {"folder": "."}, "tier_policy": "t", "retention_policy": "r"}))
    config = custvalue.load_config(tmp_path / "operator.yaml")
    with pytest.raises(DataError, match="no night is published yet"):
        custvalue.read_published(config)
    with pytest.raises(DataError, match="night 2025-07-01 is not published yet"):
        custvalue.read_published(config, "2025-07-01")
    with pytest.raises(ModelError):
        custvalue.load_champion(config)
