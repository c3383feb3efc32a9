"""The rating that holds, joined to the customers of a moment."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from custvalue.config import UNRATED
from custvalue.tiers import TierPolicy
from custvalue.tiers.protection import complaint_flags

NOT_RATED_YET = "not_rated_yet"
"""Why a customer is `unrated` whom the rating that holds did not know."""


def join_rating(features: ir.Table, rating: ir.Table, policy: TierPolicy, names: Mapping[str, str]) -> ir.Table:
    """Join a rating to customers, and look at their complaints anew: care does not wait for the next rating.

    Parameters
    ----------
    features : ibis.Table
        One row a customer.
    rating : ibis.Table
        A kept rating.
    policy : TierPolicy
        The policy that made it.
    names : mapping
        New column → column of the rating. Whom the rating does not know is `unrated` there.

    Returns
    -------
    ibis.Table
        The features, ``care_priority`` (2 while a complaint is open, 1 after a justified one, else 0), and the named columns.
    """
    is_open, justified = complaint_flags(features, policy.config, log=lambda _: None)  # the rating itself told what is absent
    of_stranger = {"tier": UNRATED, "earned": UNRATED, "reason_code": NOT_RATED_YET, "policy_version": policy.label}
    joined = features.mutate(care_priority=ibis.cases((is_open, 2), (justified, 1), else_=0).cast("int64"))
    rated = rating.select(rated_customer="customer_id", **names)
    joined = joined.left_join(rated, joined.customer_id == rated.rated_customer)
    told = {new: joined[new].fill_null(of_stranger[name]) for new, name in names.items() if name in of_stranger}
    return joined.mutate(**told).drop("rated_customer")
