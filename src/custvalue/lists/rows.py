"""A listed customer as a manager sees him: who, why now, what to do, what it is worth, by when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd

from custvalue.config.retention import RetentionPolicyConfig
from custvalue.config.triggers import TriggerRules
from custvalue.explain import Reason
from custvalue.lists.checking import calling_order
from custvalue.lists.identity import customer_token, mask_name, mask_number, order_id
from custvalue.lists.telling import spoken_reasons, telling
from custvalue.retention import risk_band
from custvalue.wording import Catalogue

CARE_DAYS = 1
CONTRACT_DAYS = 7
USUAL_DAYS = 3
"""Days to answer: an open complaint within 24 h, a contract that ends within 30 days in 7 days, else 72 h (amber signal)."""
OPENS = 9
"""Hour at which the managers' day begins, from which hours to answer count; where the policy has quiet hours, they end then."""
_CONTRACT_SOON = 30
_FACTS, _DROP = ("contract_days_to_end", "complaint_open", "tenure_months"), "revenue_drop_"
_CODES = ("region", "campaign", "trigger", "urgency", "offer", "since")


def directory_entries(directory: ibis.Table | None, customers: Sequence[str]) -> Mapping[str, dict[str, str]]:
    """Read the restricted directory for the listed customers only.

    Returns
    -------
    mapping
        customer_id → crm_id, name, msisdn as text; empty where the directory is not mapped.
    """
    if directory is None or not customers:
        return {}
    wanted = directory.filter(directory.customer_id.isin(list(customers))).to_pandas().fillna("")
    return {str(row["customer_id"]): {str(k): str(v) for k, v in row.items()} for row in wanted.to_dict("records")}


def list_facts(columns: Iterable[str]) -> list[str]:
    """Name the features that lists show, of those that there are."""
    found = [name for name in columns if name in _FACTS]
    return found + [name for name in columns if name.startswith(_DROP)][:1]


def list_rows(
    listed: pd.DataFrame,
    reasons: Sequence[Sequence[Reason]],
    directory: Mapping[str, dict[str, str]],
    *,
    as_of: date,
    token_key: bytes,
    base_rate: float,
    catalogue: Catalogue | None = None,
    policy: RetentionPolicyConfig | None = None,
    rules: TriggerRules | None = None,
) -> pd.DataFrame:
    """Put together what the lists show, beside the ``customer_id`` that joins it inside the warehouse and no list holds.

    Parameters
    ----------
    listed : DataFrame
        `Choice.listed`, with the columns of `list_facts`; and where known campaign, offer, trigger, urgency, due_hours, lines, region,
        marketing_consent, last_contact_days, last_contact_outcome, since (``new``, ``stays`` or ``moved``) and first_listed_on.
    reasons : sequence
        Reasons of the same customers, in the same order.
    directory : mapping
        `directory_entries`; a customer without a CRM id is shown by a keyed token.
    as_of : date
        The night.
    token_key : bytes
        Key of the tokens.
    base_rate : float
        Mean probability of the base; risk bands are multiples of it.
    catalogue, policy, rules : Catalogue, RetentionPolicyConfig, TriggerRules, optional
        Give the words of `telling`; without them there are none.

    Returns
    -------
    DataFrame
        In the same order; ``priority`` is the order of calling, in which urgent customers come first.
    """
    shown = reasons if catalogue is None else spoken_reasons(reasons, catalogue)
    complaint = _column(listed, "complaint_open").fillna(0) > 0
    drops = [name for name in listed.columns if name.startswith(_DROP)]
    figures: dict[str, object] = {
        "channel": "manager",
        "care_priority": listed.care_priority.to_numpy() > 0,
        "arpu": listed.arpu.to_numpy(),
        "arpu_drop": _column(listed, drops[0] if drops else "").to_numpy(),
        "tenure_months": _column(listed, "tenure_months").to_numpy(),
        "days_to_expiry": _column(listed, "contract_days_to_end").to_numpy(),
        "risk_kind": _column(listed, "risk_kind").astype("string").array,
        "risk_band": risk_band(listed.probability, base_rate=base_rate),
        "probability": listed.probability.to_numpy(),
        "value_at_stake": listed.value_at_stake.to_numpy(),
        "net_value": listed.net_value.to_numpy(),
        "reasons_en": [[reason.en for reason in row] for row in shown],
        "reasons_zh": [[reason.zh for reason in row] for row in shown],
        "reason_codes": [[reason.code for reason in row if reason.code] for row in shown],
        "reason_weights": [[reason.weight for reason in row] for row in shown],
        "open_complaint": complaint.to_numpy(),
    }
    who = _who(listed, directory, as_of, token_key)
    rows = pd.concat([who, pd.DataFrame(figures | _standing(listed, as_of), index=who.index)], axis="columns")
    opens = OPENS if policy is None else int(policy.rules.quiet_hours.ends.split(":")[0])
    rows["due_by"] = _due(listed, complaint, as_of, opens)
    rows["priority"] = calling_order(rows)
    if catalogue is None or policy is None or rules is None:
        return rows
    told = telling(listed, shown, as_of=as_of, catalogue=catalogue, policy=policy, rules=rules)
    return pd.concat([rows, told], axis="columns")


def care_rows(
    care: pd.DataFrame, managers: Mapping[str, str], directory: Mapping[str, dict[str, str]], *, token_key: bytes
) -> pd.DataFrame:
    """Put together the service contacts that persons make, as the sheet of each manager shows them.

    Parameters
    ----------
    care : DataFrame
        What `retention.care.care` gave. Messages are sent, not called, and left out.
    managers : mapping
        customer_id → list that he belongs to; whoever has none is left out.
    directory, token_key
        As for `list_rows`.

    Returns
    -------
    DataFrame
        Ordered by manager and due day: customer_id, manager_id, due_on, kind, name, customer, number, by, facts_en, facts_zh, and tier
        where the input has it.
    """
    own = care[(care["by"] == "person") & care["customer_id"].isin(list(managers))]
    own = own.assign(manager_id=own["customer_id"].map(dict(managers))).sort_values(["manager_id", "due_on", "customer_id"], kind="stable")
    shown = _shown_as(own["customer_id"], directory, token_key)
    kept = [name for name in ("due_on", "kind", "since", "by", "facts_en", "facts_zh", "tier") if name in own.columns]
    return pd.concat([own[["customer_id", "manager_id", *kept]].reset_index(drop=True), shown], axis="columns")


def _who(listed: pd.DataFrame, directory: Mapping[str, dict[str, str]], as_of: date, token_key: bytes) -> pd.DataFrame:
    tokens = [customer_token(token_key, customer) for customer in listed.customer_id]
    own = {"customer_id": listed.customer_id, "manager_id": listed.manager_id, "priority": listed.priority}
    columns = {name: values.to_numpy() for name, values in own.items()}
    orders = [order_id(as_of, token) for token in tokens]
    shown = _shown_as(listed.customer_id, directory, token_key)
    return pd.concat([pd.DataFrame({**columns, "order_id": orders}), shown], axis="columns").assign(tier=listed.tier.to_numpy())


def _shown_as(customers: pd.Series, directory: Mapping[str, dict[str, str]], token_key: bytes) -> pd.DataFrame:
    """Give CRM id or token, masked name and masked number."""
    entries = [directory.get(customer, {}) for customer in customers]
    return pd.DataFrame(
        {
            "customer": [
                entry.get("crm_id") or customer_token(token_key, customer) for entry, customer in zip(entries, customers, strict=True)
            ],
            "name": [mask_name(entry.get("name", "")) for entry in entries],
            "number": [mask_number(entry.get("msisdn", "")) for entry in entries],
        },
        dtype=object,
    )


def _standing(listed: pd.DataFrame, as_of: date) -> dict[str, object]:
    """Give the codes, and what is known of consent and of earlier contacts."""
    codes = {name: _column(listed, name).astype("string").array for name in _CODES}
    lines = _column(listed, "lines").astype("Int64")
    days = pd.to_timedelta(_column(listed, "last_contact_days").astype("float64"), unit="D")
    consent = _column(listed, "marketing_consent").map({True: "yes", False: "no"}).fillna("unknown")
    return codes | {
        "lines": lines.where(lines > 1).array,
        "consent": (consent if "marketing_consent" in listed.columns else consent.where(consent != "unknown")).astype("string").array,
        "last_contact": (pd.Timestamp(as_of) - days).to_numpy(),
        "last_outcome": _column(listed, "last_contact_outcome").astype("string").array,
        "first_listed_on": pd.to_datetime(_column(listed, "first_listed_on")).to_numpy(),
    }


def _due(listed: pd.DataFrame, complaint: pd.Series, as_of: date, opens: int) -> list[date] | pd.Series:
    """Give the last day for the first try; where triggers say how many hours there are, the moment, counted from the day's beginning."""
    expiry = _column(listed, "contract_days_to_end")
    days = np.select([complaint, expiry <= _CONTRACT_SOON], [CARE_DAYS, CONTRACT_DAYS], USUAL_DAYS)
    if "due_hours" not in listed.columns:
        return [as_of + timedelta(days=int(day)) for day in days]
    hours = listed["due_hours"].astype("float64").fillna(pd.Series(24.0 * days, index=listed.index))
    begins = pd.Timestamp(as_of) + pd.Timedelta(hours=opens)
    return (begins + pd.to_timedelta(hours, unit="h")).reset_index(drop=True)


def _column(listed: pd.DataFrame, name: str) -> pd.Series:
    return listed[name] if name in listed.columns else pd.Series(np.nan, index=listed.index)
