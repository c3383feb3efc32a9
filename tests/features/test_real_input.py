"""The three real inputs, recomputed from their raw files with pandas."""

import gzip
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from custvalue.config import load_config
from custvalue.features import build_features
from custvalue.sources import open_tables, refuse_stale

REPOSITORY = Path(__file__).parents[2]


def opened(name, folder):
    config = load_config(REPOSITORY / "configs" / f"{name}.yaml", environ={"CUSTVALUE_DATA": str(folder)})
    return config, open_tables(config)


def features_at(operator, as_of):
    config, tables = operator
    refuse_stale(tables, tables.moment(as_of))
    built = build_features(tables.known(as_of), tables.moment(as_of), config.features, delay_days=config.sources.delay_days)
    return built.table.to_pandas().set_index("customer_id").sort_index()


def assert_same(found, wanted):
    pd.testing.assert_series_equal(found, wanted.sort_index(), check_names=False, check_dtype=False, check_index_type=False, rtol=1e-9)


@pytest.fixture(scope="module")
def interconnect(data_folder):
    return opened("interconnect", data_folder)


@pytest.fixture(scope="module")
def contracts(data_folder):
    frame = pd.read_csv(data_folder / "interconnect" / "contract.csv.gz", dtype=str, index_col="customerID")
    # tenure was recorded up to 72 months: earlier begin dates exist for leavers only
    frame["begins"] = pd.to_datetime(frame.BeginDate).clip(lower=pd.Timestamp(2014, 2, 1))
    frame["ends"] = pd.to_datetime(frame.EndDate.where(frame.EndDate != "No"))
    return frame


@pytest.mark.parametrize(("as_of", "active", "leaving"), [(date(2019, 9, 1), 6105, 850), (date(2019, 11, 1), 5636, 821)])
def test_interconnect_has_one_row_for_each_customer_in_service(interconnect, contracts, as_of, active, leaving):
    found = features_at(interconnect, as_of)
    day = pd.Timestamp(as_of)
    in_service = contracts[(contracts.begins <= day) & ~(contracts.ends <= day)]
    assert found.index.tolist() == sorted(in_service.index)
    assert len(found) == active
    assert ((in_service.ends > day) & (in_service.ends <= day + pd.DateOffset(months=2))).sum() == leaving


def test_interconnect_bills_and_tenure_follow_from_begin_and_monthly_charge(interconnect, contracts):
    found = features_at(interconnect, date(2019, 9, 1))
    own = contracts.loc[found.index]
    whole_months = (2019 - own.begins.dt.year) * 12 + 9 - own.begins.dt.month - (own.begins.dt.day > 1)
    assert_same(found.tenure_months, whole_months)
    charge = own.MonthlyCharges.astype(float)
    assert_same(found.revenue_mean_3m, charge.where(whole_months > 0))
    assert (found.revenue_cv_12m.dropna() == 0).all()
    assert (found.revenue_trend_12m.dropna() == 0).all()
    assert_same(found.payment_count_12m, whole_months.clip(upper=12).astype(float).where(whole_months > 0))


def test_interconnect_products_are_those_of_the_service_files(interconnect, data_folder):
    found = features_at(interconnect, date(2019, 9, 1))
    internet = pd.read_csv(data_folder / "interconnect" / "internet.csv.gz", index_col="customerID").reindex(found.index)
    for product in ("OnlineSecurity", "TechSupport", "StreamingMovies"):
        assert_same(found[f"product_{product.lower()}"], (internet[product] == "Yes").astype(float))


def test_interconnect_contracts_are_renewed_on_their_anniversary(interconnect, contracts):
    as_of = pd.Timestamp(2019, 9, 1)
    found = features_at(interconnect, as_of.date())
    own = contracts.loc[found.index]
    assert_same(found.contract_product, own.Type)
    for kind, years in (("One year", 1), ("Two year", 2)):
        begins = own.begins[own.Type == kind]
        ends = begins.map(
            lambda begin, step=years: next(end for n in range(1, 20) if (end := begin + pd.DateOffset(years=step * n)) > as_of)
        )
        last_days = ends - pd.Timedelta(days=1)
        assert_same(found.contract_days_to_end[begins.index], (last_days - as_of).dt.days.astype(float))
    assert found.contract_days_to_end[own.Type == "Month-to-month"].isna().all()


def test_total_charges_reach_no_feature(interconnect, data_folder, tmp_path):
    shutil.copytree(data_folder / "interconnect", tmp_path / "interconnect")
    path = tmp_path / "interconnect" / "contract.csv.gz"
    (tmp_path / "interconnect").chmod(0o755)
    path.unlink()
    frame = pd.read_csv(data_folder / "interconnect" / "contract.csv.gz", dtype=str, keep_default_na=False)
    charges = frame.TotalCharges.copy()
    frame["TotalCharges"] = np.random.default_rng(7).permutation(charges) + "9"
    frame.to_csv(path, index=False)
    perturbed = opened("interconnect", tmp_path)
    assert perturbed[1].digests != interconnect[1].digests
    as_of = date(2019, 11, 1)
    pd.testing.assert_frame_equal(features_at(perturbed, as_of), features_at(interconnect, as_of), check_exact=True)


@pytest.fixture(scope="module")
def india(data_folder):
    return opened("india-prepaid", data_folder)


@pytest.fixture(scope="module")
def panel(data_folder):
    return pd.read_csv(data_folder / "india_prepaid_panel" / "telecom_churn_data_first1000.csv.gz", dtype={"mobile_number": str}).set_index(
        "mobile_number"
    )


def used(panel, suffix):
    return panel[[f"total_og_mou_{suffix}", f"total_ic_mou_{suffix}", f"vol_2g_mb_{suffix}", f"vol_3g_mb_{suffix}"]].sum(axis=1)


@pytest.mark.parametrize(("as_of", "month", "active", "leaving"), [(date(2014, 8, 1), 7, 930, 51), (date(2014, 9, 1), 8, 908, 41)])
def test_india_scores_who_used_the_network_in_the_month_before(india, panel, as_of, month, active, leaving):
    found = features_at(india, as_of)
    in_service = panel[used(panel, month) > 0]
    assert found.index.tolist() == sorted(in_service.index)
    assert len(found) == active
    assert (used(in_service, month + 1) == 0).sum() == leaving


def test_india_features_are_those_of_the_last_two_months(india, panel):
    found = features_at(india, date(2014, 9, 1))
    own = panel.loc[found.index]
    assert_same(found.revenue_mean_1m, own.arpu_8)
    assert_same(found.revenue_mean_2m, (own.arpu_7 + own.arpu_8) / 2)
    assert_same(found.revenue_drop_2m, (1 - own.arpu_8 / own.arpu_7).where(own.arpu_7 > 0))
    minutes = own.total_og_mou_8.fillna(0) + own.total_ic_mou_8.fillna(0)
    assert_same(found.voice_minutes_mean_1m, minutes * 30 / 31)  # of July and August thirty days each
    megabytes = sum(own[f"vol_{g}g_mb_{m}"].fillna(0) for g in (2, 3) for m in (7, 8))
    assert_same(found.data_mb_mean_2m, megabytes / 2 * 30 / 31)
    dated = [own[f"total_rech_amt_{m}"].where(own[f"date_of_last_rech_{m}"].notna(), 0) for m in (7, 8)]
    paid = own[["date_of_last_rech_7", "date_of_last_rech_8"]].notna().any(axis=1)
    assert_same(found.payment_amount_2m, sum(dated).astype(float).where(paid))


def test_india_september_reaches_no_feature(india, data_folder, tmp_path):
    frame = pd.read_csv(data_folder / "india_prepaid_panel" / "telecom_churn_data_first1000.csv.gz", dtype=str, keep_default_na=False)
    later = [name for name in frame.columns if name.endswith("_9")]
    assert len(later) > 40
    order = np.random.default_rng(7).permutation(len(frame))
    frame[later] = frame[later].to_numpy()[order]
    (tmp_path / "india_prepaid_panel").mkdir()
    with gzip.open(tmp_path / "india_prepaid_panel" / "telecom_churn_data_first1000.csv.gz", "wt", newline="") as file:
        frame.to_csv(file, index=False)
    as_of = date(2014, 9, 1)
    pd.testing.assert_frame_equal(features_at(opened("india-prepaid", tmp_path), as_of), features_at(india, as_of), check_exact=True)


@pytest.fixture(scope="module")
def megaline(data_folder):
    return opened("megaline", data_folder)


@pytest.fixture(scope="module")
def months_of_service(data_folder):
    """Recompute each user's use and bill by month, from calls, sessions, messages and plans."""
    folder = data_folder / "megaline"
    users = pd.read_csv(folder / "megaline_users.csv", parse_dates=["reg_date"]).set_index("user_id")
    plans = pd.read_csv(folder / "megaline_plans.csv").set_index("plan_name")
    calls = pd.read_csv(folder / "megaline_calls.csv.gz", parse_dates=["call_date"])
    sessions = pd.read_csv(folder / "megaline_internet.csv.gz", parse_dates=["session_date"])
    messages = pd.read_csv(folder / "megaline_messages.csv.gz", parse_dates=["message_date"])
    last = pd.to_datetime(users.churn_date.where(users.churn_date != "0000-00-00")).fillna(pd.Timestamp(2018, 12, 31))
    spans = [(user, month) for user in users.index for month in pd.period_range(users.reg_date[user], last[user], freq="M")]
    index = pd.MultiIndex.from_tuples(spans, names=["user_id", "month"])
    calls["minutes"] = np.ceil(calls.duration)
    by_month = {
        "minutes": calls.groupby(["user_id", calls.call_date.dt.to_period("M").rename("month")]).minutes.sum(),
        "sent": messages.groupby(["user_id", messages.message_date.dt.to_period("M").rename("month")]).size(),
        "mb": sessions.groupby(["user_id", sessions.session_date.dt.to_period("M").rename("month")]).mb_used.sum(),
    }
    frame = pd.DataFrame({name: values.reindex(index, fill_value=0) for name, values in by_month.items()})
    plan = plans.loc[users.plan_name[frame.index.get_level_values("user_id")]].set_index(frame.index)
    gigabytes = np.ceil(frame.mb.round(4) / 1024)
    frame["revenue"] = (
        plan.usd_monthly_pay
        + (frame.minutes - plan.minutes_included).clip(lower=0) * plan.usd_per_minute
        + (frame.sent - plan.messages_included).clip(lower=0) * plan.usd_per_message
        + (gigabytes - plan.mb_per_month_included / 1024).clip(lower=0) * plan.usd_per_gb
    )
    # some users go on calling after their churn_date: months after it are no months of service
    outside = set().union(*(values.index for values in by_month.values())) - set(index)
    assert {user for user, _ in outside} <= set(users.index[users.churn_date != "0000-00-00"])
    return frame


def test_megaline_bills_and_use_of_every_customer_and_month(megaline, months_of_service):
    _, tables = megaline
    for table, columns in (
        ("billing", {"revenue": "revenue"}),
        ("usage", {"voice_minutes": "minutes", "data_mb": "mb", "sms_count": "sent"}),
    ):
        rows = tables.con.table(table, database="contract").to_pandas()
        rows.index = pd.MultiIndex.from_arrays([rows.customer_id.astype(int), pd.PeriodIndex(pd.to_datetime(rows.month), freq="M")])
        assert len(rows) == len(months_of_service)
        for column, wanted in columns.items():
            assert_same(rows[column].astype(float).sort_index(), months_of_service[wanted].astype(float))


def test_megaline_features_at_the_end_of_the_year(megaline, months_of_service, data_folder):
    found = features_at(megaline, date(2019, 1, 1))
    users = pd.read_csv(data_folder / "megaline" / "megaline_users.csv", index_col="user_id")
    assert found.index.astype(int).tolist() == users.index[users.churn_date == "0000-00-00"].tolist()
    assert len(found) == 466
    found.index = found.index.astype(int)
    months = months_of_service.reset_index()
    own = months[months.user_id.isin(found.index)]
    december = own[own.month == "2018-12"].set_index("user_id")
    assert_same(found.revenue_mean_1m, december.revenue)
    assert_same(found.revenue_mean_12m, own.groupby("user_id").revenue.mean())
    own = own.assign(mb=own.mb * 30 / pd.PeriodIndex(own.month, freq="M").days_in_month)
    quarter = own[own.month >= "2018-10"].groupby("user_id")
    assert_same(found.data_mb_mean_3m, quarter.mb.mean())
    long_enough = quarter.size() == 3
    volatility = quarter.revenue.std() / quarter.revenue.mean()
    assert_same(found.revenue_cv_3m, volatility.where(long_enough))


def test_interconnect_begin_dates_that_only_leavers_have_are_capped(interconnect, contracts):
    raw = pd.to_datetime(contracts.BeginDate)
    assert (contracts.EndDate[raw < pd.Timestamp(2014, 2, 1)] != "No").all()
    longest = features_at(interconnect, date(2019, 9, 1)).tenure_months
    assert longest.max() == 67
    assert (longest == 67).sum() > 300
