"""Who a campaign listed, and who would have been listed, as the published nights tell; and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import ibis
import numpy as np
import pandas as pd

from custvalue import publish
from custvalue.churn.reporting import dated
from custvalue.errors import ConfigError, DataError, some
from custvalue.pipeline.list_files import LISTS_FILE, WOULD_BE_FILE
from custvalue.publish.manifests import Published, published_dates
from custvalue.retention.holdout import UNIVERSAL
from custvalue.sources import SourceTables, add_months

_NEEDED = ("customer_id", "unit", "campaign", "stratum")
_KEPT = (
    "customer_id", "unit", "campaign", "stratum", "arm", "tier", "region", "manager_id", "offer", "reason_code", "net_value",
    "contact_cost", "offer_cost",
)  # fmt: skip
ACCEPTED = ("accepted", "offer_accepted")
"""What a contact's outcome says where the offer was taken."""


@dataclass(frozen=True, eq=False)
class Exposures:
    """The customers of a campaign.

    Attributes
    ----------
    frame : DataFrame
        One row a customer, of his first night: the columns kept of lists, with night (date), listed (bool) and universal (bool, held out of
        every campaign).
    nights : tuple of Published
        Those with a listing of the campaign, oldest first.
    skipped : tuple of date
        Nights without would-be listings, from before there were any.
    changed : int
        Customers who were listed on one night and held out on another; the first counts.
    """

    frame: pd.DataFrame
    nights: tuple[Published, ...]
    skipped: tuple[date, ...]
    changed: int


def read_exposures(nights: Iterable[Published], campaign: str) -> Exposures:
    """Collect a campaign's customers from published nights, oldest first.

    Raises
    ------
    ConfigError
        No night lists the campaign.
    DataError
        A night is damaged, or was made before lists told the unit that was randomised.
    """
    made, skipped, taken, known = [], [], [], set[str]()
    for night in nights:
        rows = _drawn(night)
        if rows is None:
            skipped.append(night.as_of)
            continue
        known |= set(rows["campaign"].dropna())
        own = rows[rows["campaign"] == campaign]
        if len(own):
            made.append(own)
            taken.append(night)
    if not made:
        told = f"the published nights know {some(sorted(known))}" if known else "the published nights know none"
        raise ConfigError(f"campaign {campaign!r}: no published night lists it; {told}.")
    whole = pd.concat(made, ignore_index=True)
    arms = whole.groupby("customer_id")["listed"].nunique()
    first = whole.drop_duplicates("customer_id").reset_index(drop=True)
    return Exposures(first, tuple(taken), tuple(skipped), int((arms > 1).sum()))


def first_listings(nights: Iterable[Published]) -> pd.DataFrame:
    """Give whom published nights listed and whom they held out though he would have been listed: each one's first night of a campaign.

    Returns
    -------
    DataFrame
        ``customer_id``, ``campaign``, ``stratum``, ``night`` and ``listed``, oldest first; within a stratum of a campaign the lot gave all
        the same chance.
    """
    columns = ["customer_id", "campaign", "stratum", "night", "listed"]
    made = [rows[columns] for night in nights if (rows := _drawn(night)) is not None]
    if not made:
        return pd.DataFrame(columns=columns)
    return pd.concat(made, ignore_index=True).drop_duplicates(["customer_id", "campaign"], ignore_index=True)


def _drawn(night: Published) -> pd.DataFrame | None:
    """Read a night's listings and would-be listings; None of a night from before there were any."""
    if WOULD_BE_FILE not in night.files:
        return None
    publish.verify_files(night, [LISTS_FILE, WOULD_BE_FILE])
    return pd.concat([_rows(night, LISTS_FILE, listed=True), _rows(night, WOULD_BE_FILE, listed=False)], ignore_index=True)


def _rows(night: Published, file: str, *, listed: bool) -> pd.DataFrame:
    rows = pd.read_parquet(night.folder / file)
    if missing := [name for name in _NEEDED if name not in rows.columns]:
        raise DataError(
            f"{night.folder / file}: column {missing[0]} is missing, so its customers cannot be compared. Publish the night anew."
        )
    if "reason_code" not in rows.columns and "reason_codes" in rows.columns:
        rows["reason_code"] = rows["reason_codes"].map(lambda codes: codes[0] if len(codes) else None)
    if "competed_for" in rows.columns:
        # a held-out customer has no caller: both arms are told by the list that they competed for
        rows = rows.assign(manager_id=rows["competed_for"])
    universal = rows["arm"] == UNIVERSAL if "arm" in rows.columns else False
    kept = rows[[name for name in _KEPT if name in rows.columns and name != "arm"]]
    return kept.assign(night=night.as_of, listed=listed, universal=universal)


def follow(tables: SourceTables, frame: pd.DataFrame, as_of: date, *, months: int, kinds: tuple[str, ...]) -> pd.DataFrame:
    """Add what became of customers in the months after their night, as known at a day.

    Parameters
    ----------
    tables : SourceTables
    frame : DataFrame
        customer_id (once each) and night.
    as_of : date
    months : int
        How long each is watched.
    kinds : tuple of str
        Kinds of departure that count as leaving; whoever leaves otherwise stays in the comparison.

    Returns
    -------
    DataFrame
        The frame with left (0 or 1), revenue and revenue_before (currency; whole calendar months from the night on, and as many before it),
        and complete (bool): false for whoever's months are not over, billed and reported.
    """
    known = tables.known(as_of)
    reported = as_of - timedelta(days=tables.delay_days.get("departures", 0))
    billed = known["billing"].month.max().to_pyarrow().as_py() or date.min
    spans = pd.DataFrame([vars(_Span.of(night, months)) for night in sorted(set(frame["night"]))])
    spans["complete"] = (spans["until"] <= reported) & (spans["last"] <= add_months(billed, 1))
    keyed = frame.merge(spans, on="night", how="left")
    names = list(spans.columns.drop("complete"))
    asked = ibis.memtable(keyed[["customer_id", *names]])
    gone = dated(known["departures"]).inner_join(asked, "customer_id")
    gone = gone.filter(gone.kind.isin(kinds), gone.day > gone.night, gone.day <= gone.until)
    bills = known["billing"].inner_join(asked, "customer_id")
    after, earlier = (
        (bills.month >= bills["first"]) & (bills.month < bills["last"]),
        (bills.month >= bills.start) & (bills.month < bills.before),
    )
    paid = bills.filter(after | earlier).group_by("customer_id")
    sums = paid.agg(revenue=bills.revenue.sum(where=after).cast("float64"), revenue_before=bills.revenue.sum(where=earlier).cast("float64"))
    leavers = set(gone.select("customer_id").distinct().to_pandas()["customer_id"])
    found = keyed.drop(columns=names[1:]).merge(sums.to_pandas(), on="customer_id", how="left")
    filled = found[["revenue", "revenue_before"]].fillna(0.0)
    return found.assign(left=found["customer_id"].isin(leavers).astype(float), **filled)


@dataclass(frozen=True)
class _Span:
    """The months around a night: watched until a day, bills from ``first`` to before ``last``, and from ``start`` to before ``before``."""

    night: date
    until: date
    first: date
    last: date
    start: date
    before: date

    @classmethod
    def of(cls, night: date, months: int) -> _Span:
        before = night.replace(day=1)
        first = night if night.day == 1 else add_months(before, 1)
        return cls(night, add_months(night, months), first, add_months(first, months), add_months(before, -months), before)


def with_contacts(tables: SourceTables, frame: pd.DataFrame, contacts: pd.DataFrame | None, *, months: int) -> pd.DataFrame:
    """Add reached (bool) and what was spent on each customer; where nobody recorded contacts, each listed customer counts as called once.

    Parameters
    ----------
    tables : SourceTables
        Its zone.
    frame : DataFrame
        customer_id, night, listed; contact_cost and offer_cost of a contact, where known.
    contacts : DataFrame or None
        customer_id, contacted_at (UTC), reached, accepted; of whom and whenever.
    months : int
        Contacts from the night on, for so many months, count.

    Returns
    -------
    DataFrame
        contact_cost and offer_cost become what was spent: a cost a contact, and an offer's cost once where it was taken.
    """
    if contacts is None:
        made = frame.drop(columns="offer_cost", errors="ignore")
        return made.assign(contact_cost=made["contact_cost"] * made["listed"]) if "contact_cost" in made.columns else made
    local = pd.to_datetime(contacts["contacted_at"]).dt.tz_localize("UTC").dt.tz_convert(tables.zone).dt.tz_localize(None)
    joined = contacts.assign(day=local.dt.normalize()).merge(frame[["customer_id", "night"]], on="customer_id")
    night = pd.to_datetime(joined["night"])
    own = joined[(joined["day"] >= night) & (joined["day"] < night + pd.DateOffset(months=months))]
    found = own.groupby("customer_id").agg(calls=("day", "size"), reached=("reached", "max"), accepted=("accepted", "max"))
    by_customer = found.reindex(frame["customer_id"]).fillna(0)
    made = frame.assign(reached=by_customer["reached"].to_numpy(dtype=bool))
    for cost, times in (("contact_cost", "calls"), ("offer_cost", "accepted")):
        if cost in made.columns:
            spent = made[cost].fillna(0).to_numpy(dtype=np.float64) * by_customer[times].to_numpy(dtype=np.float64)
            made[cost] = spent * made["listed"]
    return made


def known_contacts(tables: SourceTables, frame: pd.DataFrame, as_of: date) -> pd.DataFrame | None:
    """Read customers' contacts from the operator's table; None where it is not mapped or does not tell who was reached."""
    contacts = tables.known(as_of).get("contacts")
    if contacts is None or "reached" not in contacts.columns:
        return None
    if "arm" in contacts.columns:
        contacts = contacts.filter(contacts.arm.isnull() | (contacts.arm != "holdout"))
    accepted = contacts.outcome.lower().isin(ACCEPTED) if "outcome" in contacts.columns else ibis.literal(False)
    told = contacts.mutate(accepted=accepted.fill_null(False), reached=contacts.reached.fill_null(False))
    asked = ibis.memtable(frame[["customer_id"]])
    return pd.DataFrame(told.semi_join(asked, "customer_id").select("customer_id", "contacted_at", "reached", "accepted").to_pandas())


def published_until(output: Path, as_of: date) -> list[Published]:
    """Find the published nights up to a day, oldest first."""
    return [publish.published(output, day) for day in published_dates(output) if day <= as_of]
