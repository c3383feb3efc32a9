"""``custvalue demo`` as a stranger runs it, in both languages."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml

from ..app.web.conftest import sign_in  # noqa: TID252 - tests are no package
from .conftest import REPOSITORY, say, three_months, write_yaml

pytestmark = pytest.mark.long

CUSTVALUE = str(Path(sys.executable).with_name("custvalue"))
TIERS = {"en": ["diamond", "gold", "silver", "basic", "unrated"], "zh": ["钻石", "金", "银", "基础", "未评级"]}
CHINESE = re.compile(r"[一-鿿]")


@dataclass(frozen=True)
class Demo:
    folder: Path
    language: str
    out: str
    err: str

    @property
    def labels(self) -> dict:
        return yaml.safe_load((REPOSITORY / "configs" / "wording" / "labels.yaml").read_text(encoding="utf-8"))

    def label(self, section: str, name: str) -> str:
        return self.labels[section][name][self.language]


DEMO = ("demo", "--customers", 3000, "--months", 18, "--folder", "shop")
# The same, and tell what was set for MLflow, which reports home otherwise.
TELLING = """
import os, pathlib, sys
from custvalue.app.cli import run
code = run(sys.argv[1:])
pathlib.Path("telemetry").write_text(os.environ["MLFLOW_DISABLE_TELEMETRY"])
sys.exit(code)
"""


def stranger(folder: Path) -> dict[str, str]:
    """The environment of somebody who has set nothing; neither git nor any other tool can be found."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CUSTVALUE_", "MLFLOW_", "GIT_PYTHON"))}
    return own | {"PATH": str(folder)}


def run_demo(folder: Path, language: str, *command: str) -> Demo:
    arguments = [*command, *map(str, DEMO), "--lang", language]
    done = subprocess.run(arguments, cwd=folder, env=stranger(folder), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return Demo(folder, language, done.stdout, done.stderr)


def change(path: Path, **settings: object) -> None:
    write_yaml(path, yaml.safe_load(path.read_text(encoding="utf-8")) | settings)


def quicker(folder: Path) -> None:
    """Shorten the training of a workspace that the demo then finds, and let more contacts pay."""
    churn = {"gap_months": 1, "horizon_months": 2, "snapshots": 2, "max_rounds": 60, "bootstrap": 50}
    change(folder / "configs" / "demo.yaml", features={"windows": [1, 3]}, churn=churn)
    three_months(folder / "configs" / "tiers" / "consumer.yaml")
    change(folder / "configs" / "retention" / "default.yaml", save=0.6, contact_cost=0.2)


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """From nothing, as ready as it ships."""
    return run_demo(tmp_path_factory.mktemp("english"), "en", CUSTVALUE)


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """In a workspace that is there, with a quick training."""
    folder = tmp_path_factory.mktemp("chinese")
    assert say("init", folder / "shop").code == 0
    quicker(folder / "shop")
    return run_demo(folder, "zh", sys.executable, "-c", TELLING)


@pytest.fixture(params=["english", "chinese"])
def demo(request: pytest.FixtureRequest) -> Demo:
    return request.getfixturevalue(request.param)


def table_rows(demo: Demo, first_header: str) -> dict[str, list[str]]:
    """Cells of the rows below a header, by their first cell."""
    lines = demo.out.splitlines()
    (start,) = [number for number, line in enumerate(lines) if line.strip().startswith(first_header)]
    below = lines[start + 2 :]
    body = below[: next(number for number, line in enumerate(below) if not line.strip())]
    return {cells[0]: cells for cells in (re.split(r" {2,}", line.strip()) for line in body)}


def test_it_shows_the_base_by_tier_with_revenue_share_and_what_came_of_the_forecast(demo):
    rows = table_rows(demo, demo.label("terminal", "tier"))
    assert list(rows)[:5] == TIERS[demo.language]
    tiers = [rows[tier] for tier in TIERS[demo.language]]
    customers = [int(row[1].replace(",", "")) for row in tiers]
    (scores,) = demo.folder.glob("shop/output/demo/nights/*/scores.parquet")
    assert sum(customers) == len(pd.read_parquet(scores))
    assert sum(float(row[2].rstrip("%")) for row in tiers) == pytest.approx(100, abs=0.5)
    for row in tiers:
        predicted, happened = (float(share.strip().rstrip("%")) for share in row[-1].split("/"))
        assert 0 < predicted < 30
        assert 0 <= happened < 30


def test_it_shows_the_model_s_quality_with_intervals_beside_the_base_rate(demo):
    rows = table_rows(demo, demo.label("terminal", "quality"))
    for name in ("auc", "pr_auc", "log_loss", "brier", "lift_10pct", "lift_capacity"):
        _, value, interval, blind = rows[demo.label("measures", name)]
        low, high = (float(end) for end in re.findall(r"\d+\.\d+", interval))
        assert low <= float(value) <= high
        assert float(blind) > 0
    auc = rows[demo.label("measures", "auc")]
    assert 0.55 < float(auc[1]) < 0.9
    assert float(auc[3]) == 0.5


def test_it_shows_one_manager_s_first_customers_with_reasons(demo):
    _, rows = night_of(demo)
    manager = rows.groupby("manager_id").net_value.sum().idxmax()
    wanted = rows[rows.manager_id == manager].head(5)
    assert manager in demo.out
    shown = "".join(demo.out.split())
    for row in wanted.to_dict("records"):
        assert row["customer"] in shown
    assert len(wanted) <= 5
    first = wanted.iloc[0][f"reasons_{demo.language}"]
    assert 1 <= len(first) <= 3
    for reason in first:
        assert bool(CHINESE.search(reason)) == (demo.language == "zh")
    others = rows[~rows.order_id.isin(wanted.order_id)]
    assert not any(customer in shown for customer in others.customer)


def night_of(demo: Demo) -> tuple[Path, pd.DataFrame]:
    (night,) = demo.folder.glob("shop/output/demo/nights/*")
    return night, pd.read_parquet(night / "lists.parquet")


def test_the_paths_it_names_are_there(demo):
    night, _ = night_of(demo)
    named = {Path(path) for path in re.findall(r"shop/[^\s()]+", demo.out)}
    assert all((demo.folder / path).exists() for path in named)
    ends = {path.suffix for path in named}
    assert {".xlsx", ".parquet", ".db"} <= ends
    (workbook,) = [demo.folder / path for path in named if path.suffix == ".xlsx"]
    assert workbook.parent == night / "lists"
    assert openpyxl.load_workbook(workbook).sheetnames[0] == demo.label("sheets", "today")
    plots = demo.folder / "shop" / "output" / "demo" / "plots"
    assert {path.name for path in plots.iterdir()} == {"lift.png", "gain.png", "calibration.png", "profit.png", "shap_beeswarm.png"}
    assert "sqlite:///shop/models/mlflow.db" in demo.out


def test_stderr_holds_its_own_steps_and_no_library_s_warning(demo):
    steps = ("simulate", "check", "features", "tiers", "train", "promote", "approve", "score", "lists", "nightly", "orders", "log")
    title, *lines = demo.err.splitlines()
    assert title.startswith("custvalue demo")
    assert "3,000" in title
    alerts = [line for line in lines if line.startswith("  ALERT ")]  # a small operator's night may well be unlike its training
    lines = [line for line in lines if line not in alerts]
    assert len(alerts) <= 2, alerts
    assert {line.split()[0] for line in lines} == set(steps)
    assert all(re.search(r"\d s$", line) for line in lines)
    assert not re.search(r"warn|Traceback|deprecat", demo.err + demo.out, re.IGNORECASE)


def test_the_list_is_in_the_language_asked_for(demo):
    night, _ = night_of(demo)
    path = sorted((night / "lists").glob("*.xlsx"))[0]
    reasons = [cell.value for row in openpyxl.load_workbook(path).worksheets[0].iter_rows() for cell in row if "• " in str(cell.value)]
    assert reasons
    assert all(bool(CHINESE.search(reason)) == (demo.language == "zh") for reason in reasons)


def test_mlflow_reports_nothing_home(chinese):
    assert (chinese.folder / "telemetry").read_text(encoding="utf-8") == "true"


def test_a_second_demo_uses_what_is_there_and_may_list_nobody(chinese, tmp_path, monkeypatch):
    shutil.copytree(chinese.folder / "shop", tmp_path / "shop")
    change(tmp_path / "shop" / "configs" / "retention" / "default.yaml", contact_cost=1e6)
    monkeypatch.chdir(tmp_path)
    done = say(*DEMO, "--lang", "zh")
    assert done.code == 0, done.err
    # the same rows give the same model, which is shown to be no worse than itself and follows it
    assert re.search(r"promote +version 2 of 'demo' passed every gate and is champion after version 1", done.err)
    assert "0 contacts on 0 list(s)" in done.err
    assert "generation 2" in done.err
    assert "scores.parquet" in done.out
    assert chinese.label("texts", "empty") in done.out


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """Run ``custvalue serve --demo`` in a folder; gives its address, and all it said before. Told to stop, it ends with exit code 0."""
    command, environment = [CUSTVALUE, "serve", "--demo", "--port", "0"], stranger(folder)
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = ""
        while "http://" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield re.search(r"http://\S+", said)[0], said
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=20)[0]
        assert (process.returncode, rest.strip()) == (0, "ended")
    finally:
        process.kill()


def test_it_is_served_to_three_users_whose_passwords_are_said_once(chinese, tmp_path):
    import httpx2

    shutil.copytree(chinese.folder / "shop", tmp_path / "shop")
    _, rows = night_of(chinese)
    called = rows[rows.manager_id != "unassigned"].groupby("manager_id").customer.agg(set)
    busiest = min(called.index, key=lambda manager: (-len(called[manager]), manager))
    managers = pd.read_parquet(tmp_path / "shop" / "data" / "demo" / "managers.parquet").groupby("manager_id").team.last()
    team = set().union(*(called[manager] for manager in called.index if managers[manager] == managers[busiest]))

    def seen(address: str, user: str, password: str) -> set[str]:
        with httpx2.Client(base_url=address, headers={"Accept-Language": "en"}) as client:
            assert sign_in(client, user, password).status_code == 303
            text = client.get("/today").text
            assert ("You may not open this" in text) == (user == "demo-analyst")
            assert client.get("/portfolio").status_code == (403 if user == "demo-manager" else 200)
        return set(re.findall(r'rowheader" scope="row"><a[^>]*>([^<]*)</a>', text))

    with served(tmp_path / "shop") as (address, said):
        words = dict(line.split() for line in said.splitlines()[:3])
        assert list(words) == ["demo-manager", "demo-lead", "demo-analyst"]
        found = {user: seen(address, user, word) for user, word in words.items()}
    assert found["demo-manager"] == called[busiest]
    assert found["demo-lead"]
    assert found["demo-lead"] <= team | set(rows[rows.manager_id == "unassigned"].customer)
    assert found["demo-analyst"] == set()
    with served(tmp_path / "shop") as (address, said):
        assert not any(word in said for word in words.values())
        assert "custvalue users password demo-manager -c configs/demo.yaml --generate" in said
        assert seen(address, "demo-manager", words["demo-manager"]) == called[busiest]
