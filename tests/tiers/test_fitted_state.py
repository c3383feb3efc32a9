"""Cuts are fitted once, stored whole, and a version never changes its content."""

import json

import pytest

from custvalue.errors import ConfigError
from custvalue.tiers import TierPolicy


@pytest.fixture
def base(make_features):
    return make_features(revenue_mean_3m=[10.0, 20.0, 30.0, 40.0, 55.5])


@pytest.fixture
def fitted(make_policy, shares, base, as_of):
    return make_policy(cuts=shares).fit(base, as_of=as_of)


def test_json_gives_back_the_same_policy(fitted):
    again = TierPolicy.from_json(fitted.to_json())
    assert again == fitted
    assert list(again.cuts) == list(fitted.cuts)


def test_stored_policy_loads_and_storing_it_again_changes_nothing(fitted, make_policy, shares, tmp_path):
    path = fitted.save(tmp_path / "new" / "folder")
    text = path.read_text()
    assert path.name == "test-v1.json"
    assert fitted.save(path.parent) == path
    assert path.read_text() == text
    assert [each.name for each in path.parent.iterdir()] == ["test-v1.json"]
    assert make_policy(cuts=shares).load(path.parent) == fitted


def test_fit_once_keeps_the_first_cuts(make_policy, shares, base, make_features, as_of, tmp_path):
    policy = make_policy(cuts=shares)
    first = policy.fit_once(base, as_of=as_of, folder=tmp_path)
    later = policy.fit_once(make_features(revenue_mean_3m=[1000.0, 2000.0]), as_of=as_of, folder=tmp_path)
    assert later == first


ACTS = {
    "load": lambda policy, *, folder, **_: policy.load(folder),
    "fit_once": lambda policy, *, base, **where: policy.fit_once(base, **where),
    "save": lambda policy, *, base, as_of, folder: policy.fit(base, as_of=as_of).save(folder),
}


@pytest.mark.parametrize("act", ACTS)
def test_edited_policy_under_the_same_version_is_refused(act, fitted, make_policy, shares, base, as_of, tmp_path):
    fitted.save(tmp_path)
    edited = make_policy(cuts=shares, eligibility={"min_tenure_months": 3})
    with pytest.raises(ConfigError, match=r"test-v1\.json: test-v1 .*raise its version"):
        ACTS[act](edited, base=base, as_of=as_of, folder=tmp_path)


def test_raised_version_is_stored_beside_the_old_one(fitted, make_policy, shares, base, as_of, tmp_path):
    fitted.save(tmp_path)
    make_policy(cuts=shares, version=2).fit_once(base, as_of=as_of, folder=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test-v1.json", "test-v2.json"]


def test_other_cuts_do_not_replace_those_in_use(fitted, make_policy, shares, make_features, as_of, tmp_path):
    before = fitted.save(tmp_path).read_text()
    refitted = make_policy(cuts=shares).fit(make_features(revenue_mean_3m=[1000.0, 2000.0]), as_of=as_of)
    with pytest.raises(ConfigError, match="was fitted as of 2025-12-01 already"):
        refitted.save(tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == [before]


def test_rewording_the_source_is_no_new_content(fitted, make_policy, shares, tmp_path):
    fitted.save(tmp_path)
    assert make_policy(cuts=shares, source="a better citation").load(tmp_path).cuts == fitted.cuts


def test_nothing_stored_says_what_to_do(make_policy, tmp_path):
    with pytest.raises(ConfigError, match=r"test-v1 is not fitted yet\. Fit and save it first"):
        make_policy().load(tmp_path)


def test_unfitted_policy_cannot_be_stored(make_policy, tmp_path):
    with pytest.raises(ConfigError, match="no cuts to store yet"):
        make_policy().save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_policy_edited_inside_the_stored_file_is_refused(fitted, make_policy, shares, tmp_path):
    path = fitted.save(tmp_path)
    state = json.loads(path.read_text())
    state["policy"]["eligibility"]["min_tenure_months"] = 1
    path.write_text(json.dumps(state))
    with pytest.raises(ConfigError, match=r"test-v1\.json: .*was edited after it was written"):
        make_policy(cuts=shares).load(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"policy": {}}'])
def test_damaged_text_is_refused(text):
    with pytest.raises(ConfigError, match="cannot be read"):
        TierPolicy.from_json(text)
