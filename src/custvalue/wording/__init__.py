"""Words shown to people, in English and Chinese: codes stand in the program, words in YAML."""

from custvalue.wording.catalogue import Catalogue
from custvalue.wording.conditions import Fact, Facts
from custvalue.wording.formats import WHOLE_MONEY_FROM, half_up, whole_percent
from custvalue.wording.loading import load_catalogue
from custvalue.wording.models import LANGUAGES, Direction

__all__ = ["LANGUAGES", "WHOLE_MONEY_FROM", "Catalogue", "Direction", "Fact", "Facts", "half_up", "load_catalogue", "whole_percent"]
