"""The model card: what it tells, in both languages, on a page that stands alone."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from custvalue.churn.card import CardFacts, model_card
from custvalue.churn.card_rendering import card_html, card_markdown
from custvalue.churn.leakage import LeakageReport
from custvalue.churn.slices import quality_by_slice
from custvalue.config import load_config, ready_configs
from custvalue.features import FeatureColumn
from custvalue.wording import load_catalogue


def column(name, *, consent=None):
    return FeatureColumn(name=name, en=f"{name} in words", zh=f"{name}说明", unit="count", null="never", reason=name, consent=consent)


@pytest.fixture(scope="module")
def facts(by_customer, make_panel):
    config = load_config(ready_configs() / "demo.yaml", environ={})
    frame = make_panel()
    random = np.random.default_rng(0)
    groups = pd.DataFrame(
        {
            "tier": np.where(np.arange(len(by_customer.test)) % 3 == 0, "gold", "basic"),
            "region": random.choice(["north|east", "<south>"], len(by_customer.test)),
            "age": np.where(np.arange(len(by_customer.test)) < 20, "00–24", "25–34"),
        }
    )
    figure = Figure()
    figure.subplots().plot([0, 1], [0, 1])
    return CardFacts(
        config=config,
        model=by_customer,
        frame=frame,
        columns=(column("region"), column("tenure_months"), column("off_net_share_3m", consent="traffic_data_consent")),
        slices=quality_by_slice(by_customer.test, groups, capacity_share=0.05, resamples=50),
        leakage=LeakageReport({"overlap": "label in features"}, {}, 3, ()),
        caveats=("tariffs of 2024 are missing",),
        tier_policy="consumer-v2",
        consent_mapped=True,
        figures={"calibration": figure, "lift": figure},
    )


@pytest.fixture(scope="module", params=["en", "zh"])
def card(request, facts):
    config = facts.config.model_copy(update={"language": request.param})
    return model_card(dataclasses.replace(facts, config=config), load_catalogue(config.wording))


class Page(HTMLParser):
    """Tables as rows of texts, and everything that a browser would fetch."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.fetched, self.open, self.text = [], [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.fetched += [
            value for name, value in attributes if name in ("src", "href") and not value.startswith(("#", "data:image/png;base64,"))
        ]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in ("meta", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_the_page_is_whole_and_fetches_nothing(card):
    page = Page(card_html(card))
    assert page.open == []
    assert page.fetched == []
    assert card_html(card).count("data:image/png;base64,") == 2
    assert f'<html lang="{card.language}">' in card_html(card)


def test_both_forms_tell_the_same(card):
    page, text = Page(card_html(card)), card_markdown(card)
    for section in card.sections:
        assert f"\n## {section.title}\n" in text
        for sentence in section.texts:
            assert f"- {sentence}" in text
            assert sentence in page.text
    cells = sum(len(table.rows) + 1 for section in card.sections for table in section.tables)
    assert len(page.rows) == cells == len(re.findall(r"^\| ", text, flags=re.MULTILINE))


def test_no_label_is_left_in_another_language(facts):
    chinese = model_card(
        dataclasses.replace(facts, config=facts.config.model_copy(update={"language": "zh"})), load_catalogue(facts.config.wording)
    )
    titles = [section.title for section in chinese.sections]
    assert all(re.search(r"[\u4e00-\u9fff]", title) for title in titles)
    headers = [header for section in chinese.sections for table in section.tables for header in table.headers]
    assert [header for header in headers if not re.search(r"[\u4e00-\u9fff]", header) and header != "AUC"] == []


def section(card, *, having):
    (found,) = [each for each in card.sections if any(having in text for text in each.texts)]
    return found


def test_the_headline_and_the_tables_are_the_evaluations_numbers(card, facts):
    found = facts.model.evaluation
    assert f"{found.rows:,}" in card.headline
    assert f"{found.metrics['auc']:.3f}" in card.headline
    rows = {row[0]: row for each in card.sections for table in each.tables for row in table.rows}
    assert rows["AUC"][1] == f"{found.metrics['auc'].value:.4f}"
    digests = [row[1] for each in card.sections for table in each.tables for row in table.rows]
    assert facts.model.bundle.digest in digests


def test_sensitive_columns_are_told(card):
    assert section(card, having="off_net_share_3m")
    assert section(card, having={"en": "Never a feature: year of birth", "zh": "出生年份、性别"}[card.language])


def test_without_consent_the_card_says_that_traffic_data_is_left_out(facts):
    told = model_card(dataclasses.replace(facts, columns=facts.columns[:2], consent_mapped=False), load_catalogue(facts.config.wording))
    assert section(told, having="Traffic data (peers, off-net shares, competitor calls) is left out")


def test_groups_are_shown_with_their_rates_and_small_ones_are_named(facts):
    told = model_card(facts, load_catalogue(facts.config.wording))
    picked = section(told, having="true positive rate")
    (table,) = picked.tables
    by_group = {row[1]: row for row in table.rows}
    north = next(each for each in facts.slices if each.value == "north|east")
    assert by_group["north|east"][-1] == f"{north.measures['ratio']:.2f}"
    assert "00–24" not in by_group
    assert any("age 00–24" in text for text in picked.texts)
    assert any(row[1] == "gold" for each in told.sections for table in each.tables for row in table.rows)


def test_what_comes_from_the_data_cannot_break_the_page_or_the_table(facts):
    told = model_card(facts, load_catalogue(facts.config.wording))
    assert "<south>" not in card_html(told)
    assert "&lt;south&gt;" in card_html(told)
    assert "north\\|east" in card_markdown(told)
