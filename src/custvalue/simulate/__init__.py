"""A synthetic operator with known truth: a hidden intent to leave makes customers use less and complain more before they go.

scenarios → population → behaviour → usage → bills → tables → writing.

``scenarios`` holds every number, ``catalogue`` the names and price lists, ``timeline`` the months and the random streams. ``population``
says who the customers are; ``behaviour`` lives their months one by one, with the hidden cause in ``intent`` and what runs beside it in
``agreements`` and ``complaints``; ``usage`` and ``bills`` turn that into what an operator's systems record; ``world`` holds all of it.
``tables`` says which contract table is built where (``register``, ``monthly``, ``dealings``, through ``arrow``), ``writing`` puts the whole
folder in place, and ``simulation`` joins the steps.
"""

from custvalue.simulate.scenarios import SCENARIOS, Scenario
from custvalue.simulate.simulation import simulate

__all__ = ["SCENARIOS", "Scenario", "simulate"]
