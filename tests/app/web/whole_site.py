"""Every page that there is, who opens it and at which address, over a world in which each of them has something to show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from custvalue.app.web.application import PAGES, PUBLIC
from custvalue.retention.orders.store import OrderStore

from .manager_night import NIGHT, owed, told
from .test_customer import KEY
from .test_portfolio import write_effect, write_monitoring

ORDER = f"{NIGHT:%Y%m%d}-C-K1"
RUN = "{run}"
"""Stands for the dry run that waits for approval."""
SHOWN: Mapping[str, tuple[tuple[str | None, str], ...]] = {
    "/login": ((None, "/login"),),
    "/today": (("ann", "/today"), ("lea", "/today"), ("ann", "/today?tier=gold&overdue=true&sort=due")),
    "/today/changes": (("ann", "/today/changes"),),
    "/orders/{order_id}": (
        ("ann", f"/orders/{ORDER}"),
        ("ann", "/orders/20260105-C-K7"),
        ("lea", f"/orders/{ORDER}"),
        ("ann", "/orders/none"),
    ),
    "/care": (("ann", "/care"), ("lea", "/care?ahead=true")),
    "/search": (("ann", "/search"), ("ann", "/search?q=nobody")),
    "/customers/{customer}": (("ann", "/customers/CRM-K9"),),
    "/team": (("lea", "/team"), ("lea", "/team?moved=1&changed=1"), ("ann", "/team")),
    "/team/orders": (("lea", "/team/orders?manager=M-001"),),
    "/campaigns": (("lea", "/campaigns"),),
    "/campaigns/{dry_run}": (("lea", f"/campaigns/{RUN}"),),
    "/portfolio": (("ana", "/portfolio"),),
    "/audit": (("adm", "/audit"),),
}
"""Route → (user, address) of each way in which its page is looked at."""
NO_PAGE = {"/", "/language/{language}", "/oidc", "/oidc/callback", "/health", "/list.{kind}", "/audit.csv"}
"""What leads on, or answers with a file."""
ROUTES = [(method, route.path) for router in (*PUBLIC, *PAGES) for route in router.routes for method in sorted(route.methods - {"HEAD"})]
LOOKS = [look for looks in SHOWN.values() for look in looks]


def fill_site(site: Any, folder: Path, *, evil: str | None = None) -> str:
    """Give each page of a site something to show, and give the id of the dry run that waits.

    `folder` holds the sources. With `evil`, it stands wherever a source, a model, a policy or a person may have written a text.
    """
    site.environ = KEY
    rows, duties = told(range(1, 9)), owed()
    if evil:
        rows, duties = (spoil(frame, evil) for frame in (rows, duties))
        rows.loc[rows.index[-1], ["manager_id", "team"]] = [evil, "north"]
    store, evening = OrderStore.of(site.config), pd.Timestamp(NIGHT).to_pydatetime() - timedelta(hours=5)
    store.take_night(rows, NIGHT, "told", decisions={}, now=evening, care=duties)
    _publish(site.config.output, evil)
    numbers = range(1, 13)
    directory = {"customer_id": [f"K{number}" for number in numbers], "crm_id": [f"CRM-K{number}" for number in numbers]}
    pd.DataFrame(directory).assign(name=evil or "Xample Person", msisdn="13800000001").to_parquet(folder / "directory.parquet")
    write_monitoring(
        site.config.output, "told", **({"alerts": [{"rule": evil, "metric": evil, "value": 1.0, "message": evil}]} if evil else {})
    )
    write_effect(site.config.output, evil or "keep-gold")
    return _keep_dry_run(site.config, evil)


def spoil(frame: pd.DataFrame, evil: str) -> pd.DataFrame:
    """Put a text into each cell that holds one, and that the page does not find a row by."""
    kept = {"order_id", "customer_id", "customer", "manager_id", "team", "kind", "by", "urgency", "trend_months"}

    def spoiled(value: Any) -> Any:
        if isinstance(value, str):
            return evil
        if isinstance(value, list):
            return [spoiled(each) for each in value]
        return {name: each if name == "since" else spoiled(each) for name, each in value.items()} if isinstance(value, dict) else value

    return pd.DataFrame({name: column if name in kept else column.map(spoiled) for name, column in frame.items()})


def _publish(output: Path, evil: str | None) -> None:
    """Publish a night: figures of the base, of whom K9 is M-001's customer on no list, its reasons, and who is on duty."""
    from custvalue import publish
    from custvalue.pipeline.duty_file import write_duty

    staging = publish.stage(output, "told")
    numbers = range(1, 13)
    rows = {
        "customer_id": [f"K{number}" for number in numbers],
        "tier": evil or "gold",
        "region": evil or "coast",
        "own_manager_id": ["M-001" if number % 2 else "M-002" for number in numbers],
        "arpu": [400.0 - 30 * number for number in numbers],
        "probability": [0.01 * number for number in numbers],
        "value_at_stake": 100.0,
        "decision": "below",
    }
    pd.DataFrame(rows).to_parquet(staging / "scores.parquet", index=False)
    whole = {"dimension": "all", "group": "all", "customers": 12, "named": 6, "named_share": 0.5, "leavers": [0.5, 0.3]}
    pd.DataFrame({"reason": [evil or "activity", "data_use"], "share": [0.6, 0.4]} | whole).to_parquet(staging / "reasons_by_group.parquet")
    managers = pd.DataFrame({"manager_id": ["M-001", "M-003", "M-006"], "absent_from": [pd.NaT, NIGHT, pd.NaT]})
    write_duty(staging, managers, dict.fromkeys(managers["manager_id"], "north"), as_of=NIGHT)
    publish.publish(output, as_of=NIGHT, run_id="told", staging=staging, lineage={})


def _keep_dry_run(config: Any, evil: str | None) -> str:
    from custvalue import publish
    from custvalue.retention.approvals import save_dry_run
    from custvalue.retention.dry_run import Campaign, DryRun, Reach, Warned

    reach = Reach(40, 44, 25.0, 160.0, 90.0, 1730.0, 310.0, 3100.0, {"save_halved": 400.0, "harm_doubled": 1100.0})
    groups = {"tier": {evil or "gold": {"customers": 300.0, "listed": 30.0, "would_be": 6.0, "net_value": 1400.0}}}
    name = evil or "spring"
    decisions = {"listed": 40, evil or "over_capacity": 800, "cooldown": 52}
    offers = {evil or "half_month_off": {"may_take": 700, "made": 31}}
    digest, warnings = publish.file_digest(config.retention_policy), (Warned("cannot_conclude", name, 900, 48),)
    campaigns = {name: Campaign(900, 0, 40, 8, 0.2, 0.1, 900)}
    run = DryRun(str(NIGHT), evil or "retention-v1", digest, decisions, reach, offers, groups, campaigns, warnings)
    save_dry_run(config.output, run)
    return run.id
