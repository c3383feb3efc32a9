import hashlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.publish import digest_files, file_digest, run_id

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
parts = st.dictionaries(st.text(), st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))


def test_run_id_is_the_start_of_the_hash_of_canonical_json():
    expected = hashlib.sha256('{"as_of":"2026-01-01","code":"0.1.0","tiers":["钻石",2]}'.encode()).hexdigest()
    assert run_id({"tiers": ["钻石", 2], "code": "0.1.0", "as_of": date(2026, 1, 1)}) == expected[:16]


@given(parts)
def test_order_of_keys_does_not_change_the_run_id(mapping):
    assert run_id(dict(reversed(mapping.items()))) == run_id(mapping)


@given(parts, st.text())
def test_one_more_part_changes_the_run_id(mapping, key):
    assert run_id({**mapping, key: [mapping.get(key), "more"]}) != run_id(mapping)


@pytest.mark.parametrize("value", [{1: "a"}, {"deep": [{2: "a"}]}, {"path": object()}])
def test_values_without_one_json_form_are_refused(value):
    with pytest.raises(TypeError, match="run id takes"):
        run_id(value)


def test_nan_is_refused():
    with pytest.raises(ValueError):
        run_id({"limit": float("nan")})


def test_file_digest_agrees_with_hashlib(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    assert file_digest(path) == hashlib.sha256(b"abc").hexdigest()


def test_digest_of_files_depends_on_names_and_content_only(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text("1")
        (tmp_path / folder / "b.csv").write_text("2")
    one, two = ([tmp_path / folder / name for name in ("a.csv", "b.csv")] for folder in ("one", "two"))
    digest = digest_files(one)
    assert digest_files(reversed(two)) == digest
    (tmp_path / "two" / "b.csv").write_text("3")
    assert digest_files(two) != digest
    one[0].rename(tmp_path / "one" / "c.csv")
    assert digest_files([tmp_path / "one" / "c.csv", one[1]]) != digest
