"""The directory is opened alone: beside tables that are absent, damaged or enormous."""

from __future__ import annotations

import pandas as pd
import pytest

from custvalue.config import load_config
from custvalue.sources.directory import open_directory

ENTRY = {"customer_id": "0001234", "crm_id": "A-1", "name": "Xample Person", "msisdn": "13800001234"}


@pytest.fixture
def make_config(tmp_path):
    def make(mapping: str | None = None):
        text = "tier_policy: t.yaml\nretention_policy: r.yaml\nsources:\n  folder: .\n"
        if mapping is not None:
            (tmp_path / "mapping.yaml").write_text(mapping, encoding="utf-8")
            text += "  mapping: mapping.yaml\n"
        (tmp_path / "operator.yaml").write_text(text, encoding="utf-8")
        return load_config(tmp_path / "operator.yaml")

    return make


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_it_is_read_as_text_whatever_lies_beside_it(suffix, make_config, tmp_path):
    frame = pd.DataFrame([ENTRY])
    frame.to_csv(tmp_path / "directory.csv", index=False) if suffix == "csv" else frame.to_parquet(tmp_path / "directory.parquet")
    (tmp_path / "billing.parquet").write_bytes(b"damaged")
    assert open_directory(make_config()).to_pandas().to_dict("records") == [ENTRY]


def test_where_it_is_not_mapped_there_is_none(make_config):
    assert open_directory(make_config()) is None
    assert open_directory(make_config("inputs: {x: {path: x.csv}}\ntables: {billing: {from: x}}\n")) is None


def test_a_mapping_gives_it_without_its_other_inputs(make_config, tmp_path):
    pd.DataFrame([{"id": "0001234", "phone": "13800001234"}]).to_csv(tmp_path / "people.csv", index=False)
    mapping = (
        "inputs: {people: {path: people.csv}, gone: {path: gone.csv}}\n"
        "tables: {directory: {from: people, rename: {customer_id: id, msisdn: phone}}, billing: {from: gone}}\n"
    )
    found = open_directory(make_config(mapping)).to_pandas().to_dict("records")
    assert found == [{"customer_id": "0001234", "msisdn": "13800001234"}]
