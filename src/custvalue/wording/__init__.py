"""Words shown to people, in English and Chinese: codes stand in the program, words in YAML."""

from custvalue.wording.catalogue import Catalogue
from custvalue.wording.columns import KnownColumns, windowless
from custvalue.wording.facts import Fact, Facts
from custvalue.wording.formats import WHOLE_MONEY_FROM, half_up, whole_percent
from custvalue.wording.loading import LAST_RESORT, load_catalogue
from custvalue.wording.models import LANGUAGES, Direction, Variant
from custvalue.wording.speaking import Speaker, phrase

__all__ = [
    "LANGUAGES",
    "LAST_RESORT",
    "WHOLE_MONEY_FROM",
    "Catalogue",
    "Direction",
    "Fact",
    "Facts",
    "KnownColumns",
    "Speaker",
    "Variant",
    "half_up",
    "load_catalogue",
    "phrase",
    "whole_percent",
    "windowless",
]
