"""The night as an Airflow DAG (Airflow 2.9 or newer): late feeds and bad configs alert at once, 75 is tried again."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pendulum
from airflow.decorators import dag, task
from airflow.exceptions import AirflowException, AirflowFailException

CONFIG = "/srv/custvalue/configs/operator.yaml"
ZONE = "Asia/Shanghai"  # time_zone of the config: at two in the morning UTC may still have the day before
TRY_AGAIN = 75


def run_custvalue(arguments: list[str]) -> None:
    """Run one command; its JSON log lines become the task's log."""
    code = subprocess.run(["custvalue", *arguments], check=False).returncode  # noqa: S603, S607 - our own command
    if code == TRY_AGAIN:
        raise AirflowException(f"custvalue {arguments[0]}: exit code {code}, try again later")
    if code:
        raise AirflowFailException(f"custvalue {arguments[0]}: exit code {code}; the log tells why and what to do")


@dag(
    schedule="0 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz=ZONE),
    catchup=False,  # missed nights: custvalue backfill, which takes each date's own champion
    max_active_runs=1,
    default_args={"retries": 8, "retry_delay": timedelta(minutes=15)},
    tags=["custvalue"],
)
def custvalue_nightly() -> None:
    """Publish one night; its date is that on which the run was due."""

    @task
    def nightly(as_of: str) -> None:
        run_custvalue(["nightly", "-c", CONFIG, "--as-of", as_of])

    nightly("{{ data_interval_end.in_timezone('" + ZONE + "') | ds }}")


custvalue_nightly()
