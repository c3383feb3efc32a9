"""Finding a customer of the base who has no order: by the number that lists would show, among one's own customers alone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from custvalue import publish
from custvalue.app.keys import token_key
from custvalue.app.web.site import Site
from custvalue.errors import DataError
from custvalue.lists.identity import customer_token, customer_tokens, mask_name, mask_number
from custvalue.lists.rows import directory_entries
from custvalue.publish.reading import SCORES
from custvalue.sources.directory import open_directory

_OWNER = "own_manager_id"
_SHOWN = ("customer_id", "tier", "arpu", "region", "segment", "tenure_months")


def find_known(site: Site, number: str, *, night: date | None, managers: Collection[str]) -> dict[str, Any] | None:
    """Find a customer on a published night.

    Parameters
    ----------
    site : Site
        Whose base.
    number : str
        His number in the customer system, or the token in its place.
    night : date, optional
        The night whose lists are current.
    managers : collection of str
        Whose customers may be found; who has no manager of his own, by his number in the customer system alone.

    Returns
    -------
    dict or None
        customer_id, customer, token, masked name and number; tier, arpu, region and segment where the night knows them. Nothing of the
        risk, of an order or of an offer.
    """
    if night is None or not managers:
        return None
    directory = open_directory(site.config)
    if directory is not None and "crm_id" in directory.columns:
        named = [str(each) for each in directory.filter(directory.crm_id == number).customer_id.to_pyarrow().to_pylist()]
        found = _scored(site, night, _owner(managers, or_nobody=True) & pc.field("customer_id").isin(named)) if named else []
    else:
        key = token_key(site.config.output, site.environ)
        own = _scored(site, night, _owner(managers))
        tokens = customer_tokens(key, [str(row["customer_id"]) for row in own])
        found = [row for row, token in zip(own, tokens, strict=True) if token == number]
    if len(found) != 1:
        return None
    customer = str(found[0]["customer_id"])
    entry = directory_entries(directory, [customer]).get(customer, {})
    masked = {"name": mask_name(entry.get("name", "")), "number": mask_number(entry.get("msisdn", ""))}
    token = customer_token(token_key(site.config.output, site.environ), customer)
    return found[0] | masked | {"customer": number, "token": token}


def _owner(managers: Collection[str], *, or_nobody: bool = False) -> pc.Expression:
    """Give the condition that a customer's own manager is one of these, or that he has none."""
    own = pc.field(_OWNER)
    mine = own.isin(sorted(managers))
    return mine | own.is_null() if or_nobody else mine


def _scored(site: Site, night: date, condition: pc.Expression) -> list[dict[str, Any]]:
    """Read the customers of whom a condition holds from the night's scores; none where the night is not there."""
    try:
        folder = publish.published(site.config.output, night).folder
    except DataError:
        return []
    parts = sorted((folder / SCORES).glob("*.parquet")) if (folder / SCORES).is_dir() else [folder / SCORES]
    names = pq.read_schema(parts[0]).names
    table = pq.read_table(parts, columns=[name for name in _SHOWN if name in names], filters=condition)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
