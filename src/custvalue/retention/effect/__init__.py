"""What the calls earned, measured against those who were held out."""

from custvalue.retention.effect.design import Design, comparable
from custvalue.retention.effect.estimates import Estimate, adjusted_difference, complier_effect, intention_to_treat
from custvalue.retention.effect.groups import effect_by_group
from custvalue.retention.effect.measuring import Measured, Money, Naive, measure
from custvalue.retention.effect.power import Judgement, Size, detectable_difference, judge, required_size
from custvalue.retention.effect.scorecard import MEASURES, PERIODS, process_scorecard, team_scorecard

__all__ = [
    "MEASURES",
    "PERIODS",
    "Design",
    "Estimate",
    "Judgement",
    "Measured",
    "Money",
    "Naive",
    "Size",
    "adjusted_difference",
    "comparable",
    "complier_effect",
    "detectable_difference",
    "effect_by_group",
    "intention_to_treat",
    "judge",
    "measure",
    "process_scorecard",
    "required_size",
    "team_scorecard",
]
