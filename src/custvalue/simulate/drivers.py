"""Numbers of a scenario that govern the customers' lives: intent, symptoms, agreements, prices, neighbours, contacts."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from custvalue.config.base import Settings

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0)]
Above = Annotated[float, Field(gt=0)]
Month = Annotated[int, Field(ge=0)]


class Intent(Settings):
    """How the hidden intent to leave begins and ends.

    Attributes
    ----------
    base, near_expiry, in_contract, bundle, complaint, repeat, log_tenure, price_rise : float
        Log-odds of entering intent in a month. ``complaint`` counts each of the last three months' complaints up to three;
        ``log_tenure`` multiplies ln((1 + months) / 25), so that two years are neutral; ``near_expiry`` holds one month either side.
    neighbour : float
        Log-odds where somebody of the same community left within the three months before.
    region_month_sd, own_sd : float
        Spread of what a region shares in a month, and of what is each customer's own.
    exit : tuple of float
        Chance of leaving in a month, by full months since intent began; the last one repeats.
    recovery : float
        Chance that intent ends at a month's end without leaving.
    port_share, silence_share : float
        Shares of such departures that take the number along, and that just fall silent.
    second_sim : float
        Share of recoveries that keep most use elsewhere: the customer stays, the value is lost.
    """

    base: float = -3.5
    near_expiry: float = 0.9
    in_contract: float = -1.1
    bundle: float = -0.6
    complaint: float = 0.55
    repeat: float = 0.7
    log_tenure: float = -0.40
    price_rise: float = 0.5
    neighbour: float = 0.59
    region_month_sd: Rate = 0.2
    own_sd: Rate = 0.7
    exit: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.22, 0.44)
    recovery: Share = 0.25
    port_share: Share = 0.45
    silence_share: Share = 0.0
    second_sim: Share = 0.05


class Symptoms(Settings):
    """What intent does to behaviour, at full strength.

    Attributes
    ----------
    ramp : float
        Share of the way to full strength (or back to none) covered each month.
    depth_alpha, depth_beta : float
        Beta distribution of the share of use a customer gives up.
    silent_share : float
        Share of customers who show nothing beforehand.
    extras, activity : float
        Share of value-added services and of active days given up, relative to ``depth``.
    complaints : float
        Complaint rate rises by this multiple.
    off_net : float
        Rise of the share of calls to other networks.
    downgrade : float
        Added chance a month of moving to a smaller plan.
    """

    ramp: Share = 0.6
    depth_alpha: Above = 5.0
    depth_beta: Above = 3.0
    silent_share: Share = 0.05
    extras: float = 1.0
    activity: Share = 0.5
    complaints: float = 1.2
    off_net: Share = 0.08
    downgrade: Share = 0.05


class Agreement(Settings):
    """One kind of agreement: who holds one at the start, and how it is signed, renewed and ended.

    Attributes
    ----------
    held, at_joining, signed, renewed : float
        Share of the first customers who hold one; chance of signing on joining, in a month without, and when one ends.
    terms, weights : tuple
        Lengths in months and their shares.
    """

    held: Share
    at_joining: Share
    signed: Share
    renewed: Share
    terms: Annotated[tuple[int, ...], Field(min_length=1)]
    weights: tuple[Share, ...]

    @model_validator(mode="after")
    def _weights_match_the_terms(self) -> Self:
        if len(self.weights) != len(self.terms) or abs(sum(self.weights) - 1) > 1e-9:
            raise ValueError(f"weights {self.weights} must be one share for each of the terms {self.terms}, and add up to 1")
        return self


class PriceRise(Settings):
    """A rise of list prices from a month of the simulation on (0 is the first), for plans from a fee upward."""

    month: Month
    fee_from: Rate
    rise: Rate


class TariffLaunch(Settings):
    """New all-inclusive plans appear in the price list, and many customers move to them: a change of regime.

    Attributes
    ----------
    month : int
        Month of the simulation (0 is the first) from which the new plans are sold.
    moves : float
        Chance a month of moving, for a customer of an old plan who would save by it.
    beyond : float
        Share of what was charged beyond the old fee that is still charged on a new plan.
    symptoms : float
        Share of the usual fall of use that intent still causes on a new plan: what is included is used to the end.
    moved, left_behind : float
        Added log-odds of intent for those who moved, and for those who go on paying the old prices.
    """

    month: Month
    moves: Share = 0.12
    beyond: Share = 0.25
    symptoms: Share = 0.35
    moved: float = -0.4
    left_behind: float = 0.3


class Groups(Settings):
    """Who belongs together.

    Attributes
    ----------
    community : tuple of int
        Least and most customers of a community of neighbours; households stay whole.
    household_lines, enterprise_lines : tuple of int
        Least and most lines of an account.
    shared_risk : float
        Correlation of what the lines of one firm feel: their own risk, and their luck in turning away and in leaving.
    """

    community: tuple[int, int] = (4, 8)
    household_lines: tuple[int, int] = (2, 4)
    enterprise_lines: tuple[int, int] = (3, 12)
    shared_risk: Share = 0.4


class Offer(Settings):
    """What a contact may bring, and by how much it multiplies what a reached contact saves and harms."""

    name: str
    saves: Rate = 1.0
    harms: Rate = 1.0


class Contacting(Settings):
    """Campaigns by telephone: who is called, who answers, and what it does to them.

    Attributes
    ----------
    persuadable, sleeping_dog : float
        Shares of customers whom a contact can keep, and whom it drives away.
    overpaying : float
        Multiple of the chance to be a sleeping dog for those who pay much beyond their plan's fee.
    begins : int
        First month with campaigns.
    share, randomised, treated : float
        Shares of customers whom managers pick in a month and who are drawn at random; and of these, the share that is called.
    judgement : float
        Noise of the managers' view of who is at risk, where the sd of what they see is about 1.
    cooldown : int
        Months in which nobody is called again.
    reach, reach_again, least_reach : float
        Chance of reaching a customer, its multiple for each contact in the six months before, and the least it falls to.
    saves, binds : float
        Chance that reaching a persuadable customer ends the intent, and log-odds of intent taken off for three months.
    harms, harms_free : float
        Log-odds of intent added for three months by reaching a sleeping dog, and by reaching one without a contract.
    opts_out, dog_opts_out : float
        Chance that who is reached wants no more marketing; for sleeping dogs.
    offers : tuple of Offer
        What managers offer, in turn by chance; the first one is the default.
    """

    persuadable: Share = 0.13
    sleeping_dog: Share = 0.06
    overpaying: Rate = 3.0
    begins: Month = 3
    share: Share = 0.03
    randomised: Share = 0.01
    treated: Share = 0.5
    judgement: Rate = 1.0
    cooldown: Month = 2
    reach: Share = 0.58
    reach_again: Share = 0.85
    least_reach: Share = 0.25
    saves: Share = 0.7
    binds: Rate = 0.9
    harms: float = 0.4
    harms_free: float = 1.0
    opts_out: Share = 0.006
    dog_opts_out: Share = 0.04
    offers: Annotated[tuple[Offer, ...], Field(min_length=1)] = (
        Offer(name="Care call 关怀电话"),
        Offer(name="Discount 10 九折优惠", saves=1.25),
        Offer(name="Data gift 流量赠送", saves=1.1),
        Offer(name="Plan advice 套餐推荐", harms=1.4),
    )
