"""A lead's whole day in a real browser: the team's load, orders handed over, a campaign approved, figures looked at, the list taken."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from ..app.web.manager_night import owed, told  # noqa: TID252 - tests are no package
from ..app.web.test_portfolio import write_effect, write_monitoring  # noqa: TID252 - tests are no package

pytestmark = pytest.mark.long

NIGHT = date(2026, 1, 6)
WORDS = {
    "en": {
        "team": "Team north", "away": "Away on this night: M-003", "choose": "Hand over CRM-K3", "moved": "1 order(s) handed over.",
        "approve": "Approve", "approved": "approved by lea", "moves": "came up", "out": "Sign out",
    },
    "zh": {
        "team": "团队：north", "away": "当日不在岗：M-003", "choose": "转交CRM-K3", "moved": "已转交1张工单。",
        "approve": "审批通过", "approved": "lea已于", "moves": "升入", "out": "退出登录",
    },
}  # fmt: skip


@pytest.fixture
def app(make_site, clock):
    """The north team has three managers, one of whom is away; a night is published, watched and measured, and a campaign waits."""
    from custvalue.retention.orders.store import OrderStore

    app = make_site()
    config = app.state.site.config
    rows = told(range(1, 25), night=NIGHT)
    rows.loc[rows.index % 6 == 2, "manager_id"] = "M-003"
    store = OrderStore.of(config)
    store.take_night(rows, NIGHT, "run1", decisions={}, now=datetime(2026, 1, 5, 18), care=owed(night=NIGHT))
    for order, outcome in (("20260106-C-K7", "unreachable"), ("20260106-C-K11", "refused"), ("20260106-C-K13", "accepted")):
        store.record_outcome(order, outcome, by="ann", now=datetime(2026, 1, 6, 1), source="page")
    clock.time = datetime(2026, 1, 6, 2)
    publish_figures(config.output)
    write_monitoring(config.output, "run1")
    write_effect(config.output, "keep-gold")
    write_effect(config.output, "win-back", verdict="cannot_conclude")
    keep_dry_run(config)
    return app


def publish_figures(output: Path) -> None:
    from custvalue import publish
    from custvalue.pipeline.duty_file import write_duty

    staging = publish.stage(output, "run1")
    tiers = ["diamond"] * 10 + ["gold"] * 30 + ["silver"] * 60
    regions = [("north-east", "coast", "hills")[number % 3] for number in range(100)]
    rows = {"customer_id": range(100), "tier": tiers, "region": regions, "decision": "below"}
    risk = [0.01 + 0.002 * number for number in range(100)]
    (staging / "scores.parquet").mkdir()
    figures = {"arpu": [400.0 - 3 * number for number in range(100)], "probability": risk, "value_at_stake": 100.0}
    pd.DataFrame(rows | figures).to_parquet(staging / "scores.parquet" / "part-00000.parquet", index=False)
    whole = {"dimension": "all", "group": "all", "customers": 100, "named": 50, "named_share": 0.5, "leavers": [6.0, 4.9]}
    pd.DataFrame({"reason": ["activity", "data_use"], "share": [0.55, 0.45]} | whole).to_parquet(staging / "reasons_by_group.parquet")
    managers = pd.DataFrame({"manager_id": ["M-001", "M-003", "M-006"], "absent_from": [pd.NaT, NIGHT, pd.NaT]})
    write_duty(staging, managers, {"M-006": "north"}, as_of=NIGHT)
    publish.publish(output, as_of=NIGHT, run_id="run1", staging=staging, lineage={})


def keep_dry_run(config) -> None:
    from custvalue import publish
    from custvalue.retention.approvals import save_dry_run
    from custvalue.retention.dry_run import Campaign, DryRun, Reach, Warned

    reach = Reach(40, 44, 25.0, 160.0, 90.0, 1730.0, 310.0, 3100.0, {"save_halved": 400.0, "harm_doubled": 1100.0})
    groups = {"tier": {"gold": {"customers": 300.0, "listed": 30.0, "would_be": 6.0, "net_value": 1400.0}}}
    campaigns = {"spring": Campaign(900, 0, 40, 8, 0.2, 0.1, 900)}
    decisions = {"listed": 40, "over_capacity": 800, "cooldown": 52}
    offers = {"half_month_off": {"may_take": 700, "made": 31}}
    digest = publish.file_digest(config.retention_policy)
    warnings = (Warned("cannot_conclude", "spring", 900, 48),)
    save_dry_run(config.output, DryRun("2026-01-06", "retention-v1", digest, decisions, reach, offers, groups, campaigns, warnings))


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_lead_s_whole_day(language, javascript, open_page, tmp_path):
    words = WORDS[language]
    page = open_page("lea", language=language, javascript=javascript)
    page.click("nav a[href='/team']")
    assert page.inner_text("h1") == words["team"]
    assert words["away"] in page.inner_text("main")
    page.click("main a:has-text('M-003')")
    page.check(f"input[aria-label='{words['choose']}']")
    page.select_option("#to", "M-006")  # who has no orders yet
    page.fill("#reason", "on holiday until Friday")
    page.click("fieldset button >> nth=0")
    assert page.inner_text("[role=status]") == words["moved"]
    assert page.locator("tbody tr:has-text('M-006') td.number").nth(0).inner_text() == "1"
    page.click("nav a[href='/campaigns']")
    page.click("main tbody a")
    page.fill("#note", "looked at tiers")
    page.click(f"button:has-text('{words['approve']}')")
    assert words["approved"] in page.inner_text("[role=status]")
    page.click("nav a[href='/portfolio']")
    assert words["moves"] in page.inner_text("main")
    page.click("nav a[href='/team']")
    with page.expect_download() as coming:
        page.click("a[href='/list.xlsx']")
    coming.value.save_as(tmp_path / "list.xlsx")
    assert openpyxl.load_workbook(tmp_path / "list.xlsx").worksheets[0].max_row > 10
    page.click(f"button:has-text('{words['out']}')")
    page.wait_for_url("**/login")


def test_a_choice_without_a_reason_is_not_sent(open_page):
    page = open_page("lea")
    page.goto("/team/orders?manager=M-003")
    page.check("input[name=orders] >> nth=0")
    page.select_option("#to", "M-001")
    page.click("fieldset button >> nth=0")
    assert page.evaluate("document.activeElement.id") == "reason"
    assert page.locator("[role=status]").count() == 0
