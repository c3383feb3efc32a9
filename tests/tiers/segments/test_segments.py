"""Segments: planted ones are found again, invented ones are not, and the same customers always give the same answer."""

from __future__ import annotations

import json
import re
from datetime import date

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import adjusted_rand_score

from custvalue.config import ready_configs
from custvalue.errors import ConfigError, DataError
from custvalue.tiers.segments import SegmentModel
from custvalue.tiers.segments.clustering import Candidate, choose_number
from custvalue.tiers.segments.signals import find_signals
from custvalue.wording import load_catalogue

AS_OF = date(2025, 6, 1)
USES = ("voice_minutes_mean_12m", "data_mb_mean_12m", "sms_count_mean_12m", "roaming_days_mean_12m")
TYPICAL = np.array([200.0, 15_000.0, 5.0, 0.5])
PLANTED = {
    "voice": (4.0, 1.0, 1.0, 0.2),
    "data": (0.5, 6.0, 0.5, 0.2),
    "sms": (0.5, 0.5, 6.0, 0.2),
    "roaming": (0.5, 0.5, 0.5, 8.0),
}


def customers(groups, each=200, *, spread=0.15, seed=0, **more):
    """Customers of some kinds, whose use differs from their kind's by a lognormal factor, and whose level differs tenfold."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(len(groups)), each)
    use = (
        np.array(list(groups.values()))[kinds] * TYPICAL * rng.lognormal(0, spread, (len(kinds), 4)) * rng.lognormal(0, 1, (len(kinds), 1))
    )
    frame = pd.DataFrame(use, columns=USES).assign(vas_share_3m=rng.uniform(0.05, 0.15, len(kinds)), **more)
    frame.insert(0, "customer_id", [f"c{place:05d}" for place in rng.permutation(len(kinds))])
    return frame, np.array(list(groups))[kinds]


def on_engine(frame):
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def assigned(model, frame):
    found = model.assign(on_engine(frame)).to_pyarrow().to_pandas().set_index("customer_id")["segment"]
    return found.loc[frame.customer_id].to_numpy()


@pytest.fixture(scope="module")
def planted():
    frame, truth = customers(PLANTED)
    return frame, truth, SegmentModel.fit(frame, as_of=AS_OF)


def test_planted_segments_are_found_and_named_after_what_was_planted(planted):
    frame, truth, model = planted
    found = assigned(model, frame)
    assert adjusted_rand_score(truth, found) > 0.99
    assert [set(found[truth == kind]) for kind in PLANTED] == [{kind} for kind in PLANTED]


def test_customers_who_were_not_fitted_on_are_given_their_kind(planted):
    frame, truth = customers(PLANTED, seed=1)
    assert adjusted_rand_score(truth, assigned(planted[2], frame)) > 0.99


@pytest.mark.parametrize("correlated", [0.0, 0.9], ids=["apart", "together"])
def test_customers_of_one_kind_are_not_divided(correlated):
    """Correlated signals are cut into two stable halves by any clustering: what tells is that most of them lie at the cut."""
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 1, (600, 4)) * np.sqrt(1 - correlated) + rng.normal(0, 1, (600, 1)) * np.sqrt(correlated) * [1, -1, 1, -1]
    frame = pd.DataFrame(np.exp(0.4 * noise) * TYPICAL, columns=USES).assign(customer_id=[f"c{place:04d}" for place in range(600)])
    model = SegmentModel.fit(frame, as_of=AS_OF)
    assert model.codes == ("mixed",)
    if correlated:
        assert model.candidates[0].agreement > 0.85
    assert min(found.between for found in model.candidates) >= 1


def candidate(segments, *, agreement=0.9, recovery=0.8, smallest=0.05, between=0.5):
    return Candidate(segments, agreement, recovery, smallest, between)


def test_the_largest_stable_number_is_taken():
    assert choose_number([candidate(2), candidate(3), candidate(4, agreement=0.84), candidate(5), candidate(6, between=1.0)]) == 5


@pytest.mark.parametrize("short", [{"agreement": 0.849}, {"recovery": 0.749}, {"smallest": 0.029}, {"between": 1.0}])
def test_each_limit_alone_refuses_a_number(short):
    assert choose_number([candidate(2)]) == 2
    assert choose_number([candidate(2, **short)]) == 1


def test_order_of_rows_and_columns_changes_nothing(planted):
    frame, _, model = planted
    turned = frame.sample(frac=1, random_state=4)[list(frame.columns[::-1])]
    assert SegmentModel.fit(turned, as_of=AS_OF).to_json() == model.to_json()
    assert SegmentModel.fit(on_engine(turned), as_of=AS_OF).to_json() == model.to_json()


def test_how_much_is_used_does_not_matter(planted):
    frame, _, model = planted
    heavier = frame.assign(**{column: frame[column] * 50 for column in USES})
    assert (assigned(model, heavier) == assigned(model, frame)).all()


def test_text_gives_the_model_back(planted):
    model = planted[2]
    assert SegmentModel.from_json(model.to_json()) == model


def _move_centre(content):
    content["segments"][0]["centroid"][0] += 0.1


def _rename(content):
    content["segments"][0]["code"] = "vip"


def _lose_signal(content):
    del content["signals"]


def _lose_digest(content):
    del content["digest"]


@pytest.mark.parametrize(
    ("edit", "told"),
    [(_move_centre, "was edited"), (_rename, "was edited"), (_lose_signal, "cannot be read"), (_lose_digest, "cannot be read")],
)
def test_edited_text_is_refused(planted, edit, told):
    content = json.loads(planted[2].to_json())
    edit(content)
    with pytest.raises(ConfigError, match=told):
        SegmentModel.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"digest": "0"}', "null"])
def test_text_that_is_no_model_is_refused(text):
    with pytest.raises(ConfigError, match="fitted segments cannot be read"):
        SegmentModel.from_json(text)


def test_a_version_keeps_its_content(planted, tmp_path):
    frame, _, model = planted
    path = model.save(tmp_path)
    assert model.save(tmp_path) == path
    other = SegmentModel.fit(frame, as_of=date(2025, 7, 1))
    with pytest.raises(ConfigError, match=r"behaviour-v1 are stored with another content"):
        other.save(tmp_path)
    assert SegmentModel.load(path) == model


def test_segments_are_fitted_once(planted, tmp_path):
    frame, _, model = planted
    first = SegmentModel.fit_once(frame, as_of=AS_OF, folder=tmp_path, log=lambda _: None)
    assert first == model
    other, _ = customers({"voice": PLANTED["voice"]}, each=300)
    assert SegmentModel.fit_once(other, as_of=date(2025, 9, 1), folder=tmp_path, log=lambda _: None) == model


def test_a_stored_model_that_is_gone_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.json: segments cannot be read"):
        SegmentModel.load(tmp_path / "gone.json")


def test_customers_of_whom_something_or_nothing_is_known_have_a_segment(planted):
    frame, truth, model = planted
    few = frame.groupby(truth).head(1).reset_index(drop=True)
    few.loc[0, "sms_count_mean_12m"] = None
    few.loc[1, list(USES)] = None
    few.loc[1, "vas_share_3m"] = None
    few.loc[2, list(USES)] = float("nan")
    few.loc[3, list(USES)] = 0.0
    found = assigned(model, few)
    assert found[0] == "voice"
    assert set(found) <= set(model.codes)
    assert found[1] == found[2]


def test_signals_that_say_nothing_are_left_out_and_told():
    frame, truth = customers(PLANTED)
    rows = len(frame)
    frame = frame.assign(
        vas_share_3m=0.1,
        off_net_share_mean_1m=np.where(np.arange(rows) % 3 == 0, 0.4, np.nan),
        sms_count_mean_12m=0.0,
        distinct_peers_mean_3m=None,
    )
    told: list[str] = []
    model = SegmentModel.fit(frame, as_of=AS_OF, log=told.append)
    assert model.columns == (USES[0], USES[1], USES[3])
    found = assigned(model, frame)
    assert len(set(found[truth == "roaming"])) == 1
    lines = "\n".join(told)
    assert "vas_share_3m is the same for all" in lines
    assert "sms_count_mean_12m is the same for all" in lines
    assert "off_net_share_mean_1m is known of 33% of the customers only" in lines
    assert "distinct_peers_mean_3m is known of 0%" in lines


@pytest.mark.parametrize("rows", [1, 3, 30])
def test_too_few_customers_are_one_segment(rows):
    frame, _ = customers(PLANTED)
    few = frame.head(rows)
    model = SegmentModel.fit(few, as_of=AS_OF)
    assert model.codes == ("mixed",)
    assert set(assigned(model, few)) == {"mixed"}


def test_a_table_without_any_known_signal_is_one_segment():
    frame = pd.DataFrame({"customer_id": ["a", "b"], "tenure_months": [1.0, 2.0]})
    model = SegmentModel.fit(frame, as_of=AS_OF)
    assert model.columns == ()
    assert set(assigned(model, frame)) == {"mixed"}


def test_an_empty_table_is_refused():
    frame, _ = customers(PLANTED)
    with pytest.raises(DataError, match=r"behaviour-v1: the feature table of 2025-06-01 is empty"):
        SegmentModel.fit(frame.head(0).astype({"customer_id": "str"}), as_of=AS_OF)


def test_a_missing_column_is_told_at_assigning(planted):
    frame, _, model = planted
    with pytest.raises(ConfigError, match=r"features sms_count_mean_12m are not in the feature table"):
        model.assign(on_engine(frame.drop(columns="sms_count_mean_12m")))


def test_the_nearest_centre_is_that_of_a_direct_calculation(planted):
    """Shares, log-odds and distances again in numpy, from the stored numbers."""
    frame, _, model = planted
    multiples = np.column_stack([frame[s.column] / s.typical for s in model.signals if s.form == "use"])
    shares = np.column_stack([multiples / multiples.sum(axis=1, keepdims=True), frame.vas_share_3m]).clip(0.01, 0.99)
    centre, scale = (np.array([getattr(s, name) for s in model.signals]) for name in ("centre", "scale"))
    scaled = ((np.log(shares / (1 - shares)) - centre) / scale).clip(-3, 3)
    distances = ((scaled[:, None] - np.array([s.centroid for s in model.segments])) ** 2).sum(axis=2)
    assert (np.array(model.codes)[distances.argmin(axis=1)] == assigned(model, frame)).all()


def test_every_engine_gives_the_same_segments(planted, engine, tmp_path):
    frame, _, model = planted
    frame = frame.assign(data_mb_mean_12m=frame.data_mb_mean_12m.where(frame.index % 7 > 0))
    frame.to_parquet(tmp_path / "features.parquet")
    found = model.assign(engine.read_parquet(str(tmp_path / "features.parquet"))).to_pandas()
    expected = pd.DataFrame({"customer_id": frame.customer_id, "segment": assigned(model, frame)})
    pd.testing.assert_frame_equal(
        found.sort_values("customer_id", ignore_index=True).astype("str"),
        expected.sort_values("customer_id", ignore_index=True).astype("str"),
    )


def test_families_are_called_so_in_both_languages():
    frame, truth = customers(PLANTED)
    model = SegmentModel.fit(frame.assign(household_lines=np.where(truth == "roaming", 3.0, np.nan)), as_of=AS_OF)
    catalogue = load_catalogue(ready_configs() / "wording")
    code = next(code for code in model.codes if code.startswith("roaming"))
    assert code == "roaming-families"
    assert model.words(catalogue, "en")[code] == "roaming families"
    assert model.words(catalogue, "zh")[code] == "漫游型家庭"


def test_every_segment_has_a_name_of_its_own_in_both_languages():
    kinds = PLANTED | {"voice and data": (4.0, 6.0, 0.5, 0.2), "voice and roaming": (4.0, 0.3, 0.3, 6.0)}
    model = SegmentModel.fit(customers(kinds, each=150)[0].assign(vas_share_3m=0.1), as_of=AS_OF)
    catalogue = load_catalogue(ready_configs() / "wording")
    assert len(model.codes) == len(kinds)
    for language in ("en", "zh"):
        words = model.words(catalogue, language)
        assert len(set(words.values())) == len(words) == len(kinds)
    assert not [text for text in model.words(catalogue, "zh").values() if re.search("[a-z]", text)]


def test_every_trait_has_words():
    catalogue = load_catalogue(ready_configs() / "wording")
    columns = [*USES, "vas_share_3m", "off_net_share_mean_1m", "distinct_peers_mean_3m"]
    names = {f"{side}_{signal.name}" for signal in find_signals(columns) for side in ("more", "less")}
    assert len(names) == 14
    assert names <= set(catalogue.names("segments"))


def test_signals_are_of_the_longest_window_and_charges_stand_in_for_use_that_is_not_mapped():
    both = ["data_mb_mean_3m", "data_mb_mean_12m", "data_share_3m", "roaming_share_3m", "voice_minutes_mean_24m", "vas_share_1m"]
    found = {signal.name: (signal.column, signal.form) for signal in find_signals(both)}
    assert found == {
        "data": ("data_mb_mean_12m", "use"),
        "roaming": ("roaming_share_3m", "share"),
        "extras": ("vas_share_1m", "share"),
    }
