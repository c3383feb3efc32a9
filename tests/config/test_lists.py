"""Formats of the lists: what may be asked for, and where mapping files are looked for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from custvalue.config import load_config
from custvalue.errors import ConfigError


def test_workbooks_alone_are_written_unless_told_otherwise(config_file: Callable[..., Path]):
    assert load_config(config_file()).lists.formats == ("xlsx",)


def test_mapping_files_are_looked_for_beside_the_config(config_file: Callable[..., Path]):
    path = config_file("lists: {formats: [xlsx, salesforce], salesforce: exports/ours.yaml}\n")
    lists = load_config(path).lists
    assert lists.formats == ("xlsx", "salesforce")
    assert lists.salesforce == path.parent / "exports" / "ours.yaml"
    assert lists.dynamics is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("formats: [xls]", r"operator\.yaml:4: lists\.formats\.0: Input should be 'xlsx', 'csv'"),
        ("formats: [csv, csv]", r"operator\.yaml:4: lists\.formats: 'csv' stands here twice"),
        ("format: [csv]", r"operator\.yaml:4: lists\.format: unknown key; did you mean 'formats'\?"),
    ],
)
def test_a_format_that_there_is_not_is_told_with_its_line(config_file: Callable[..., Path], given: str, told: str):
    with pytest.raises(ConfigError, match=told):
        load_config(config_file(f"lists: {{{given}}}\n"))
