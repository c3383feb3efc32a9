"""From a template's name to a page: words from the catalogue, days and numbers as the language writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from custvalue.config import Config
from custvalue.wording import Catalogue

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
_LOCALES = {"en": "en", "zh": "zh_Hans_CN"}


def make_templates() -> Environment:
    """Give the templates; every value that they show is escaped, and a misspelt one is an error."""
    templates = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.globals["asset"] = _asset_addresses().__getitem__
    return templates


def make_writers(catalogue: Catalogue, config: Config, language: str) -> dict[str, Callable[..., str]]:
    """Give the functions with which templates write, in one language.

    ``say(key, **values)`` a label, ``named(section, code)`` the word for a code (the code itself where there is none), ``money``,
    ``number``, ``percent``, ``share`` (to a tenth of a percent), ``points`` (with a sign), ``day``, ``moment`` (a UTC time in the
    operator's zone), ``ago`` (seconds). None is written as a dash.
    Money is written as in the reasons beside it, so that a number reads the same everywhere.
    """
    locale, zone = _LOCALES[language], ZoneInfo(config.time_zone)

    def local(value: datetime) -> datetime:
        return value.replace(tzinfo=UTC).astimezone(zone)

    @cache
    def label(key: str) -> str:
        return catalogue.label(key, language)

    def words(key: str, **values: object) -> str:
        if not values:
            return label(key)
        return catalogue.label(key, language, **{name: str(value) for name, value in values.items()})

    writers: dict[str, Callable[..., str]] = {
        "money": lambda value: catalogue.money(value, language=language, currency=config.currency),
        "number": lambda value: format_decimal(value, locale=locale),
        "percent": lambda value: format_percent(value, locale=locale),
        "share": lambda value: format_percent(value, format="#,##0.0%", locale=locale),
        "points": lambda value: format_decimal(value, format="+#,##0.0;-#,##0.0", locale=locale),
        "day": lambda value: _day(value, locale),
        "moment": lambda value: f"{_day(local(value), locale)} {local(value):%H:%M}",
        "ago": lambda seconds: format_timedelta(seconds, locale=locale),
    }
    named: dict[str, Callable[..., str]] = {
        "say": words,
        "named": lambda section, code: "–" if code is None else catalogue.label(f"{section}.{code}", language, default=str(code)),
    }
    return {name: _dash_for_none(writer) for name, writer in writers.items()} | named


def _day(value: date, locale: str) -> str:
    return _written_day(value.date() if isinstance(value, datetime) else value, locale)


@lru_cache(maxsize=1024)
def _written_day(value: date, locale: str) -> str:
    return format_date(value, "medium", locale=locale)


def _dash_for_none(writer: Callable[[Any], str]) -> Callable[[Any], str]:
    def write(value: Any) -> str:
        return "–" if value is None or value != value else writer(value)

    return write


def _asset_addresses() -> dict[str, str]:
    """Address of each static file, with a digest: a browser keeps it for ever, and still sees the next release's."""
    return {
        path.name: f"/static/{path.name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:10]}"
        for path in STATIC.iterdir()
        if path.is_file()
    }
