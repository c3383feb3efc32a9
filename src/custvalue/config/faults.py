"""What a model finds wrong with itself, told for several places at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Place = tuple[str | int, ...]
"""Keys and positions on the way to a value, as in pydantic's ``loc``."""

Fault = tuple[Place, str]
"""Where something is wrong, seen from the model that found it, and what to write instead."""


def refuse(faults: Sequence[Fault]) -> None:
    """Raise the faults, if there are any, as one pydantic error; for validators, whose own errors know a single place only.

    Raises
    ------
    ValidationError
        There is a fault.
    """
    if not faults:
        return
    details = [
        InitErrorDetails(type=PydanticCustomError("inconsistent", "{told}", {"told": told}), loc=place, input=None)
        for place, told in faults
    ]
    raise ValidationError.from_exception_data("inconsistent", details)


def band_faults(bands: Mapping[float, float], *, outside: float) -> list[Fault]:
    """Bands ascend, and what they give only rises or only falls, so that more of something never first helps and then harms."""
    place = ("bands",)
    if not bands:
        return [(place, "name at least one band, for example {12: 10, 24: 20}")]
    starts, given = list(bands), list(bands.values())
    for low, high in pairwise(starts):
        if high <= low:
            return [((*place, str(high)), f"bands ascend, but {high:g} comes after {low:g}: sort them by their lowest value")]
    # a negative value counts as zero, so nothing lies below a first band that starts there
    steps = [*([outside] if starts[0] > 0 else []), *given]
    if any(a > b for a, b in pairwise(steps)) and any(a < b for a, b in pairwise(steps)):
        told = f"they give {', '.join(f'{value:g}' for value in steps)} from the lowest value up"
        return [(place, f"{told}, rising and falling: let them only rise or only fall, so that nobody loses by having more")]
    return []


def overlap_faults(key: str, cuts: Mapping[str, float]) -> list[Fault]:
    """Cuts or bands that are told from the highest down fall strictly."""
    return [
        ((key, low), f"cuts must fall from tier to tier, but {low!r} has {cuts[low]:g} and {high!r} above it {cuts[high]:g}: they overlap")
        for high, low in pairwise(cuts)
        if cuts[low] >= cuts[high]
    ]


def key_faults(place: tuple[str, ...], given: Mapping[str, object], bands: tuple[str, ...], kind: str) -> list[Fault]:
    """Every band has an entry, and every entry is a band's."""
    strange = [((*place, key), f"no {kind} band is called {key!r}; there are {', '.join(bands)}") for key in given if key not in bands]
    missing = [band for band in bands if band not in given]
    return [*strange, *([(place, f"no tier for {kind} {', '.join(missing)}: add {'them' if missing[1:] else 'it'}")] if missing else [])]
