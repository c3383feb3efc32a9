"""How templates write: labels as they stand in the file, whatever they hold; values as the language writes them."""

from __future__ import annotations

import html
from datetime import date, datetime

import pytest

from custvalue.app.web.rendering import make_templates


@pytest.fixture
def templates(app):
    """The page's templates in a language, with a label changed."""

    def make(language: str = "en", **labels: str):
        catalogue = app.state.site.catalogue.model_copy(deep=True)
        for name, text in labels.items():
            catalogue.labels["page"][name] = catalogue.labels["page"][name].model_copy(update={"en": text})
        return make_templates(catalogue, app.state.site.config, language)

    return make


@pytest.mark.parametrize(("quote", "label"), [('"', "a < b & c"), ("'", "it's {# no comment"), ('"', "100 %} sure {%")])
def test_a_label_is_shown_as_it_stands_in_the_file_and_is_no_markup_and_no_template(templates, quote, label):
    said = f"{{{{ say({quote}page.state{quote}) }}}}"
    shown = templates(state=label).from_string(f"<p title='{said}'>{said}</p>{{{{ 1 }}}}").render()
    assert html.unescape(shown) == f"<p title='{label}'>{label}</p>1"
    assert shown.count("<") == 2
    assert shown.count("'") == 2


@pytest.mark.parametrize(
    ("value", "language", "written"), [(-0.004, "en", "¥0.00"), (1234.5, "zh", "1,235元"), (None, "en", "–"), (float("nan"), "en", "–")]
)
def test_money_reads_the_same_each_time_by_call_and_as_a_filter(templates, value, language, written):
    made = templates(language).from_string("{{ money(value) }} {{ value | money }}")
    assert [made.render(value=value) for _ in range(2)] == [f"{written} {written}"] * 2


def test_a_moment_is_written_in_the_operators_zone_and_a_day_in_the_language(templates):
    made = templates("zh").from_string("{{ at | moment }}|{{ on | day }}|{{ at | day }}")
    assert made.render(at=datetime(2026, 1, 4, 18, 5), on=date(2026, 1, 5)) == "2026年1月5日 02:05|2026年1月5日|2026年1月4日"
