"""A workbook's name comes from the manager's id, whatever that holds."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from custvalue.lists import safe_name


@pytest.mark.parametrize("manager", ["M-014", "M_1", "007", "客户经理2", "unassigned"])
def test_an_ordinary_id_stays_as_it_is(manager):
    assert safe_name(manager) == manager


@given(st.text(max_size=60))
def test_no_id_leads_out_of_the_folder(manager):
    name = f"{safe_name(manager)}.xlsx"
    assert PurePosixPath(name).name == PureWindowsPath(name).name == name
    assert not name.startswith(".")
    assert not any(sign in name for sign in '<>:"|?*\\/\0\n')


@given(st.text(alphabet="aB1 /_-.\\é", max_size=6), st.text(alphabet="aB1 /_-.\\é", max_size=6))
def test_two_ids_never_share_a_name(one, other):
    assume(one != other)
    assert safe_name(one) != safe_name(other)
