"""The rating step in plain Python, written from the rules' text and not from the code: slow, one customer at a time."""

import calendar
import math
from datetime import date


def months_later(day, months):
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def known(value):
    return None if value is None or (isinstance(value, float) and not math.isfinite(value)) else value


class Oracle:
    """A policy given as the YAML's dictionary, and the cuts of its rules."""

    def __init__(self, policy, cuts):
        self.policy, self.cuts = policy, cuts
        self.tiers = list(policy["tiers"])
        self.unrated = len(self.tiers)
        self.label = f"{policy['name']}-v{policy['version']}"
        self.stability = {
            "validity_months": 0,
            "months_before_downgrade": 1,
            "grace_months": 0,
            "largest_step_up": None,
            "largest_step_down": None,
        } | policy.get("stability", {})
        self.protection = {"open_complaint": True, "justified_within_days": 90} | policy.get("protection", {})
        self.transition = {"rule": "higher", "months": 12} | policy.get("transition", {})
        self.eligibility = {"min_tenure_months": 0, "segments": []} | policy.get("eligibility", {})

    # who belongs together

    def rate(self, rows, previous, day):
        """Rate a base: rows and previous are lists of dictionaries; gives customer → row."""
        level, before, result = self.policy.get("level", "line"), {row["customer_id"]: row for row in previous}, {}
        groups = {}
        for row in rows:
            together = None if level == "line" else row[f"{level}_id"]
            groups.setdefault(("alone", row["customer_id"]) if together is None else ("together", together), []).append(row)
        for members in groups.values():
            state = self.rate_group(members, self.best_before(members, before), day)
            result |= {row["customer_id"]: state | {"customer_id": row["customer_id"]} for row in members}
        return result

    def best_before(self, members, before):
        held = [before[row["customer_id"]] for row in members if row["customer_id"] in before]
        ranked = [row for row in held if self.rank_of(row["tier"]) is not None]
        return min(ranked, key=lambda row: (self.rank_of(row["tier"]), row["valid_from"], row["customer_id"]), default=None)

    def rank_of(self, tier):
        names = [*self.tiers, "unrated"]
        return names.index(tier) if tier in names else None

    def name_of(self, rank):
        return [*self.tiers, "unrated"][rank]

    # points

    def value(self, members, metric, roll_up):
        values = [float(row[metric]) for row in members if known(row[metric]) is not None]
        if not values:
            return None
        return {"sum": math.fsum, "max": max, "min": min, "mean": lambda all_: math.fsum(all_) / len(all_)}[roll_up](values)

    def points(self, members, part, tenure):
        value = self.value(members, part["metric"], part.get("roll_up", "sum"))
        if value is None:
            return 0.0
        value = max(value, 0.0)
        if part.get("full_after_months") and tenure is not None:
            value *= min(max(tenure, 0) / part["full_after_months"], 1)
        if part.get("bands"):
            reached = [low for low in part["bands"] if value >= low]
            given = part["bands"][max(reached)] if reached else 0.0
        else:
            given = part["points_per_unit"] * value
        cap = part.get("cap")
        return given if cap is None else math.copysign(min(abs(given), cap), given)

    def factor(self, members, part):
        value = self.value(members, part["metric"], part.get("roll_up", "max"))
        reached = [low for low in part["bands"] if value is not None and value >= low]
        return part["bands"][max(reached)] if reached else 1.0

    def band(self, members, axis):
        value = self.value(members, axis["metric"], axis.get("roll_up", "sum"))
        reached = [(low, name) for name, low in axis["at_least"].items() if value is not None and value >= low]
        return value, max(reached)[1] if reached else axis["otherwise"]

    def by_rules(self, members, tenure):
        """Best rank by the cuts, best by the cuts of those who hold a tier, and the score of the rule that earned it."""
        best, best_kept, score_of_best = None, None, None
        for name, rule in self.policy["rules"].items():
            if rule.get("form") == "matrix":
                score, column = self.band(members, rule["columns"])
                rank = kept = self.rank_of(rule["cells"][self.band(members, rule["rows"])[1]][column])
            else:
                total = sum(self.points(members, part, tenure) for part in rule["components"].values())
                score = round(total * math.prod(self.factor(members, part) for part in rule.get("factors", {}).values()), 6)
                rank = self.reached(score, self.cuts[name])
                kept = self.reached(score, self.keeping(rule["cuts"], self.cuts[name]))
            if best is None or rank < best:
                best, score_of_best = rank, score
            best_kept = kept if best_kept is None else min(best_kept, kept)
        return best, best_kept, score_of_best

    def reached(self, score, cuts):
        return next((i for i, tier in enumerate(self.tiers[:-1]) if score >= cuts[tier]), len(self.tiers) - 1)

    def keeping(self, rule, cuts):
        if rule["kind"] == "thresholds":
            return cuts | rule.get("keep_at", {})
        return {tier: min(cut, round(cut * rule.get("keep_share", 1.0), 6)) for tier, cut in cuts.items()}

    # floors and overrides

    def met(self, members, adjustment):
        return all(any(self.holds(row, condition) for row in members) for condition in adjustment["when"])

    def holds(self, row, condition):
        value = known(row[condition["metric"]])
        if value is None:
            return False
        if condition.get("among"):
            return value in condition["among"]
        return value >= condition.get("at_least", -math.inf) and value < condition.get("below", math.inf)

    def adjusted(self, members, rank, *, at_once_only=False):
        by = None
        for each in self.policy.get("adjustments", []):
            if at_once_only and not each.get("at_once"):
                continue
            if not self.met(members, each) or each.get("only_from", self.name_of(rank)) != self.name_of(rank):
                continue
            if "at_least" in each:
                after = min(rank, self.rank_of(each["at_least"]))
            elif "at_most" in each:
                after = max(rank, self.rank_of(each["at_most"]))
            else:
                after = self.rank_of(each["exactly"])
            by = each["name"] if after != rank else by
            rank = after
        return rank, by

    # the step

    def rate_group(self, members, before, day):
        tenures = [row["tenure_months"] for row in members if known(row["tenure_months"]) is not None]
        tenure = max(tenures, default=None)
        open_now = any((known(row["complaint_open"]) or 0) > 0 for row in members)
        days = self.protection["justified_within_days"]
        justified = days > 0 and any(
            known(row["days_since_justified_complaint"]) is not None and row["days_since_justified_complaint"] <= days for row in members
        )
        wanted, needs = self.eligibility["segments"], self.eligibility["min_tenure_months"]
        unrated_reason = None
        if wanted and not any(row["segment"] in wanted for row in members):
            unrated_reason = "unrated_other_segment"
        elif needs and tenure is None:
            unrated_reason = "unrated_unknown_tenure"
        elif needs and tenure < needs:
            unrated_reason = "unrated_short_tenure"
        rank, kept_rank, score = self.by_rules(members, tenure)
        earned, by = (self.unrated, None) if unrated_reason else self.adjusted(members, rank)
        state = self.step(members, before, day, earned, by, kept_rank, unrated_reason, open_now, justified)
        return state | {
            "score": None if unrated_reason else score,
            "policy_version": self.label,
            "care_priority": 2 if open_now else 1 if justified else 0,
            "earned": self.name_of(earned),
        }

    def row(self, rank, since, until, reason, below=None, grace=None):
        until = None if rank == self.unrated else until
        return {
            "tier": self.name_of(rank),
            "valid_from": since,
            "valid_until": until,
            "below_since": below,
            "grace_until": grace,
            "reason_code": reason,
        }

    def step(self, members, before, day, earned, by, kept_rank, unrated_reason, open_now, justified):
        validity = self.stability["validity_months"]
        new_until = months_later(day, validity) if validity else None
        held = None if before is None else self.rank_of(before["tier"])
        # 1. nothing to carry on from
        if held is None or held == self.unrated:
            since = before["valid_from"] if held == earned == self.unrated else day
            return self.row(earned, since, new_until, unrated_reason or (f"adjusted_{by}" if by else "first_rating"))
        until, below, grace = before.get("valid_until"), before.get("below_since"), before.get("grace_until")
        # 2. another version of the policy
        changed = before.get("policy_version") is not None and before["policy_version"] != self.label
        rule, afresh, extended = self.transition["rule"], False, not changed and before.get("reason_code") == "transition"
        if changed and (rule == "new" or (rule == "renewal" and until is None)):
            afresh, until, below, grace = True, None, None, None
        elif changed and rule == "higher":
            extended = until is None or until <= day
            longest = months_later(day, self.transition["months"])
            until = longest if until is None else max(until, longest)
        # the tier wanted: kept by its lower cut, under the same floors and ceilings
        wanted = earned
        if not unrated_reason and earned > held:
            wanted = max(held, self.adjusted(members, max(held, kept_rank))[0])
        # 3. up
        if wanted < held:
            step = self.stability["largest_step_up"]
            now = wanted if step is None else max(wanted, held - step)
            return self.row(now, day, new_until, f"adjusted_{by}" if by and now == earned else "upgrade")
        # 4. as before
        if wanted == held:
            renew = until is None or until <= day
            return self.row(held, before["valid_from"], new_until if renew else until, "renewed" if renew and validity else "stays")
        # 5. down, unless something holds
        below = below or day
        starts = grace
        if self.protection["open_complaint"] and open_now:
            holding = "protected_open_complaint"
        elif justified:
            holding = "protected_justified_complaint"
        elif afresh:
            holding = None
        elif until is not None and day < until:
            holding = "transition" if extended else "within_validity"
        elif day < months_later(below, self.stability["months_before_downgrade"] - 1):
            holding = "below_too_briefly"
        elif grace is None and self.stability["grace_months"]:
            holding, starts = "grace", months_later(day, self.stability["grace_months"])
        elif grace is not None and day < grace:
            holding = "grace"
        else:
            holding = None
        now, step = held, self.stability["largest_step_down"]
        if holding is None:
            now = wanted if step is None or afresh or wanted == self.unrated else min(wanted, held + step)
        # what acts at once binds the tier that the rest would still hold, but never beyond the tier wanted
        if not unrated_reason and not (holding or "").startswith("protected"):
            forced, forced_by = self.adjusted(members, held, at_once_only=True)
            if min(forced, wanted) > now:
                return self.row(min(forced, wanted), day, new_until, f"adjusted_{forced_by}")
        if holding:
            return self.row(held, before["valid_from"], until, holding, below, starts)
        return self.row(now, day, new_until, unrated_reason or ("policy_change" if afresh else "downgrade"))
