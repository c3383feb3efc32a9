"""Every number of what the operator's systems record beside the lives themselves."""

from __future__ import annotations

from pydantic import Field

from custvalue.config.base import Settings


class Days(Settings):
    """How a month's use falls on its days.

    Attributes
    ----------
    weekend_voice, weekend_data : float
        Use on a Saturday or Sunday, relative to another day.
    noise : float
        Sd of the log of a single day's use.
    fades : float
        Share of those who leave by their own will who fall silent before the last day.
    fading_days : float
        Mean length of that silence in days, within the last month.
    silence_known_after : int
        Days of silence after which a prepaid customer counts as lost; until then the feeds go on and show nothing.
    """

    weekend_voice: float = Field(default=0.8, gt=0)
    weekend_data: float = Field(default=1.15, gt=0)
    noise: float = Field(default=0.6, ge=0)
    fades: float = Field(default=0.35, ge=0, le=1)
    fading_days: float = Field(default=6.0, ge=1)
    silence_known_after: int = Field(default=90, ge=1)


class Recharges(Settings):
    """How prepaid customers top up, where there is no bill.

    Attributes
    ----------
    amounts : tuple of int
        Vouchers, currency.
    spread : float
        Sd of the log of the sum a customer has in mind, around half a month's spend.
    ahead : float
        Days of spend below which a customer thinks of topping up.
    promptness : float
        Chance a day of doing so then.
    """

    amounts: tuple[int, ...] = (5, 10, 20, 30, 50, 100, 200)
    spread: float = Field(default=0.4, ge=0)
    ahead: float = Field(default=3.0, ge=0)
    promptness: float = Field(default=0.45, ge=0, le=1)


class FinalBills(Settings):
    """What is booked after a postpaid customer has left.

    Attributes
    ----------
    late_use : float
        Share of leavers who are charged for use that came in late.
    pays : float
        Share of those who left by their own will who settle in the month after; nobody who was cut off does.
    months : int
        Months for which an open account keeps a row; its number may belong to somebody else after that.
    """

    late_use: float = Field(default=0.3, ge=0, le=1)
    pays: float = Field(default=0.8, ge=0, le=1)
    months: int = Field(default=2, ge=0, le=2)


class Signals(Settings):
    """Events, as chances a month: for a customer who stays at ease, and for one whom the hidden intent draws away.

    Attributes
    ----------
    port_query, competitor_hotline, call_forwarding, bill_query : (float, float)
        Chance without and with intent.
    queried_before_leaving : float
        Share of those who take their number along who ask for it in the last month.
    sim_swap : float
        Chance a month of a new SIM card, whatever the intent.
    """

    port_query: tuple[float, float] = (0.010, 0.12)
    competitor_hotline: tuple[float, float] = (0.015, 0.09)
    call_forwarding: tuple[float, float] = (0.006, 0.02)
    bill_query: tuple[float, float] = (0.05, 0.11)
    queried_before_leaving: float = Field(default=0.6, ge=0, le=1)
    sim_swap: float = Field(default=0.004, ge=0, le=1)


class Satisfaction(Settings):
    """How satisfied customers are, and who says so.

    Attributes
    ----------
    mean, spread : float
        Satisfaction of a customer at ease, on ten points, and its sd; a good half of the variance is the customer's own.
    intent, complaint : float
        Points lost at full symptoms, and for each of the last three months' complaints (up to three).
    dissatisfied, delighted : float
        Odds of an answer, times this for a score of 4 or less, and for 9 or more.
    """

    mean: float = 7.3
    spread: float = Field(default=1.7, gt=0)
    intent: float = 1.6
    complaint: float = 0.9
    dissatisfied: float = Field(default=2.5, ge=0)
    delighted: float = Field(default=2.0, ge=0)


class Register(Settings):
    """How the register of customers changes.

    Attributes
    ----------
    moves, reassigned : float
        Chance a month of moving to another region, and of being given another manager.
    managers_replaced : float
        Share of managers whose customers all pass to a colleague in a given month.
    absences : float
        Chance a month that a manager is away for some weeks.
    quarantine_days : int
        Days that a number rests before somebody else may get it.
    """

    moves: float = Field(default=0.002, ge=0, le=1)
    reassigned: float = Field(default=0.003, ge=0, le=1)
    managers_replaced: float = Field(default=0.01, ge=0, le=1)
    absences: float = Field(default=0.02, ge=0, le=1)
    quarantine_days: int = Field(default=90, ge=90)


class Dealings(Settings):
    """Tickets around a departure, trials, and grades.

    Attributes
    ----------
    cancellation, win_back : float
        Share of those who leave by their own will for whom a ticket announces it days before, and whom the operator calls after it.
    trials : float
        Chance a month of beginning a free trial.
    converted : float
        Share of trials that go on, paid.
    grade_shares : tuple of float
        Shares of the grades from the lowest to the highest, by twelve months' revenue.
    regraded_at : float
        Share of the simulated months after which a new policy with other cuts is in force.
    """

    cancellation: float = Field(default=0.35, ge=0, le=1)
    win_back: float = Field(default=0.25, ge=0, le=1)
    trials: float = Field(default=0.006, ge=0, le=1)
    converted: float = Field(default=0.3, ge=0, le=1)
    grade_shares: tuple[float, float, float, float] = (0.5, 0.3, 0.15, 0.05)
    regraded_at: float = Field(default=0.5, ge=0, le=1)


class Recording(Settings):
    """Everything that systems record beside bills and use, group by group."""

    days: Days = Days()
    recharges: Recharges = Recharges()
    final_bills: FinalBills = FinalBills()
    signals: Signals = Signals()
    satisfaction: Satisfaction = Satisfaction()
    registry: Register = Register()
    dealings: Dealings = Dealings()
