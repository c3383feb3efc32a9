"""A synthetic operator with known truth: a hidden intent to leave makes customers use less and complain more before they go.

scenarios → facts → population → living → usage → bills → tables → writing.

``scenarios`` reads every number from YAML (``drivers``, ``amounts`` and ``recording`` hold the groups), ``catalogue`` the names and price
lists, ``timeline`` the months and the random streams, from which ``draws`` takes luck. ``facts`` is what all customers share; they
themselves come in shards, so that memory does not grow with their number. ``population`` says who a shard's customers are, and
``neighbours`` who belongs together; ``living`` holds the rules of a month, with the hidden cause in ``intent`` and what runs beside it in
``agreements``, ``complaints`` and ``campaigns``; ``behaviour`` is what comes of it, and ``shards`` lives it, each month also as it
would have been with the calls turned round. ``usage``, ``bills`` and their kin turn that into what an operator's systems record, and
``world`` holds all of it. ``tables`` says which contract table is built where, ``outcomes`` and ``observing`` write the truth and the
oracles, ``writing`` puts the whole folder in place, ``simulation`` joins the steps, and ``operator`` lets them be played.
"""

from custvalue.simulate.lived_month import Month
from custvalue.simulate.operator import Operator
from custvalue.simulate.scenarios import SCENARIOS, Scenario, load_scenario
from custvalue.simulate.simulation import simulate

__all__ = ["SCENARIOS", "Month", "Operator", "Scenario", "load_scenario", "simulate"]
