"""From a template's name to a page: words from the catalogue, days and numbers as the language writes them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import escape

from custvalue.config import Config
from custvalue.wording import Catalogue

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
_PLAIN_LABEL = re.compile(r"""\{\{ say\((["'])([\w.]+)\1\) \}\}""")
_KEPT = 2**14
"""How many values of a kind are kept as they were written: a page of orders has two hundred, and is looked at again and again."""
_LOCALES = {"en": "en", "zh": "zh_Hans_CN"}


def make_templates(catalogue: Catalogue, config: Config, language: str) -> Environment:
    """Give the templates in one language; every value that they show is escaped, and a misspelt one is an error."""
    templates = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[_Labels],
    )
    writers = make_writers(catalogue, config, language)
    templates.globals |= writers | {"asset": _asset_addresses().__getitem__}
    # long lists write with filters, which Jinja calls at half the cost
    templates.filters |= {name: writers[name] for name in ("money", "moment", "day")} | {
        "named": lambda code, of: writers["named"](of, code)
    }
    return templates


class _Labels(Extension):
    """Labels without values become text of the template when it is read: a page has a hundred of them, and they are always the same."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 - as Jinja calls it
        say: Any = self.environment.globals["say"]

        def text(found: re.Match[str]) -> str:
            return str(escape(say(found[2]))).replace("{", "&#123;")

        return _PLAIN_LABEL.sub(text, source)


def make_writers(catalogue: Catalogue, config: Config, language: str) -> dict[str, Callable[..., str]]:
    """Give the functions with which templates write, in one language.

    ``say(key, **values)`` a label, ``named(section, code)`` the word for a code (the code itself where there is none), ``money``,
    ``number``, ``percent``, ``share`` (to a tenth of a percent), ``points`` (with a sign), ``day``, ``moment`` (a UTC time in the
    operator's zone), ``ago`` (seconds). None is written as a dash.
    Money is written as in the reasons beside it, so that a number reads the same everywhere.
    """
    locale, zone = Locale.parse(_LOCALES[language]), ZoneInfo(config.time_zone)

    @lru_cache(maxsize=_KEPT)
    def money(value: float) -> str:
        return catalogue.money(value, language=language, currency=config.currency)

    @lru_cache(maxsize=_KEPT)
    def day(value: date) -> str:
        return format_date(value, "medium", locale=locale)

    @lru_cache(maxsize=_KEPT)
    def moment(value: datetime) -> str:
        local = value.replace(tzinfo=UTC).astimezone(zone)
        return f"{day(local.date())} {local:%H:%M}"

    @cache
    def label(key: str) -> str:
        return catalogue.label(key, language)

    def words(key: str, **values: object) -> str:
        if not values:
            return label(key)
        return catalogue.label(key, language, **{name: str(value) for name, value in values.items()})

    @lru_cache(maxsize=_KEPT)
    def name(section: str, code: str | None) -> str:
        return "–" if code is None else catalogue.label(f"{section}.{code}", language, default=str(code))

    writers: dict[str, Callable[..., str]] = {
        "money": money,
        "number": lambda value: format_decimal(value, locale=locale),
        "percent": lambda value: format_percent(value, locale=locale),
        "share": lambda value: format_percent(value, format="#,##0.0%", locale=locale),
        "points": lambda value: format_decimal(value, format="+#,##0.0;-#,##0.0", locale=locale),
        "day": lambda value: day(value.date() if isinstance(value, datetime) else value),
        "moment": moment,
        "ago": lambda seconds: format_timedelta(seconds, locale=locale),
    }
    return {name: _dash_for_none(writer) for name, writer in writers.items()} | {"say": words, "named": name}


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
