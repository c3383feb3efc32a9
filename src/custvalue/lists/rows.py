"""A listed customer as a manager sees him: who, why now, what it is worth, by when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd

from custvalue.explain import Reason
from custvalue.lists.identity import customer_token, mask_name, mask_number, order_id
from custvalue.retention import risk_band

CARE_DAYS = 1
CONTRACT_DAYS = 7
USUAL_DAYS = 3
"""Days to answer: an open complaint within 24 h, a contract that ends within 30 days in 7 days, else 72 h (amber signal)."""
_CONTRACT_SOON = 30
_FACTS, _DROP = ("contract_days_to_end", "complaint_open", "tenure_months"), "revenue_drop_"


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
) -> pd.DataFrame:
    """Put together what the workbooks show, beside the ``customer_id`` that joins it inside the warehouse and no workbook holds.

    Parameters
    ----------
    listed : DataFrame
        `Ranking.listed`, with the columns of `list_facts`.
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
    """
    tokens = [customer_token(token_key, customer) for customer in listed.customer_id]
    entries = [directory.get(customer, {}) for customer in listed.customer_id]
    expiry = _column(listed, "contract_days_to_end")
    complaint = _column(listed, "complaint_open").fillna(0) > 0
    days = np.select([complaint, expiry <= _CONTRACT_SOON], [CARE_DAYS, CONTRACT_DAYS], USUAL_DAYS)
    drops = [name for name in listed.columns if name.startswith(_DROP)]
    return pd.DataFrame(
        {
            "customer_id": listed.customer_id.to_numpy(),
            "manager_id": listed.manager_id.to_numpy(),
            "priority": listed.priority.to_numpy(),
            "order_id": [order_id(as_of, token) for token in tokens],
            "customer": [entry.get("crm_id") or token for entry, token in zip(entries, tokens, strict=True)],
            "name": [mask_name(entry.get("name", "")) for entry in entries],
            "number": [mask_number(entry.get("msisdn", "")) for entry in entries],
            "tier": listed.tier.to_numpy(),
            "channel": "manager",
            "care_priority": listed.care_priority.to_numpy() > 0,
            "arpu": listed.arpu.to_numpy(),
            "arpu_drop": _column(listed, drops[0] if drops else "").to_numpy(),
            "tenure_months": _column(listed, "tenure_months").to_numpy(),
            "days_to_expiry": expiry.to_numpy(),
            "risk_kind": _column(listed, "risk_kind").astype("string").array,
            "risk_band": risk_band(listed.probability, base_rate=base_rate),
            "probability": listed.probability.to_numpy(),
            "value_at_stake": listed.value_at_stake.to_numpy(),
            "net_value": listed.net_value.to_numpy(),
            "reasons_en": [[reason.en for reason in row] for row in reasons],
            "reasons_zh": [[reason.zh for reason in row] for row in reasons],
            "reason_codes": [[reason.code for reason in row] for row in reasons],
            "open_complaint": complaint.to_numpy(),
            "due_by": [as_of + timedelta(days=int(day)) for day in days],
        }
    )


def _column(listed: pd.DataFrame, name: str) -> pd.Series:
    return listed[name] if name in listed.columns else pd.Series(np.nan, index=listed.index)
