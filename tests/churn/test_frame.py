import numpy as np
import pandas as pd
import pytest

from custvalue.churn.frame import TrainingFrame
from custvalue.errors import ConfigError


def frame(**changed):
    parts = {
        "X": pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]}),
        "y": np.array([0, 1, 0, 1], dtype=np.int8),
        "customer": np.array(["A", "B", "A", "B"], dtype=object),
        "snapshot": np.array(["2024-01-01", "2024-01-01", "2024-02-01", "2024-02-01"], dtype="datetime64[D]"),
    }
    return TrainingFrame(**parts | changed)


def test_describe_counts_each_snapshot():
    described = frame(y=np.array([0, 1, 1, 1], dtype=np.int8)).describe()
    assert described["snapshot"].astype(str).tolist() == ["2024-01-01", "2024-02-01"]
    assert described["active"].tolist() == [2, 2]
    assert described["leavers"].tolist() == [1, 2]


def test_a_customer_who_leaves_in_two_windows_is_one_leaver():
    assert frame().leavers == 1


@pytest.mark.parametrize("rows", [np.array([False, True, False, True]), np.array([1, 3])])
def test_take_keeps_the_parts_together(rows):
    taken = frame(dropped={"gap": 2}).take(rows)
    assert taken.X["a"].tolist() == [2.0, 4.0]
    assert taken.X.index.tolist() == [0, 1]
    assert taken.y.tolist() == [1, 1]
    assert taken.customer.tolist() == ["B", "B"]
    assert taken.snapshot.astype(str).tolist() == ["2024-01-01", "2024-02-01"]
    assert taken.dropped == {"gap": 2}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"y": np.array([0, 1, 0], dtype=np.int8)}, "X 4, y 3, customer 4, snapshot 4"),
        ({"y": np.array([0, 1, 2, 0], dtype=np.int8)}, "must be 0 or 1"),
    ],
)
def test_refuses_parts_that_do_not_fit(changed, words):
    with pytest.raises(ConfigError, match=words):
        frame(**changed)
