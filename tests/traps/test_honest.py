"""Without a trap nothing is refused: the positive control of every other file here."""

from custvalue.churn.leakage import find_leaks


def test_an_honest_operator_is_not_accused(honest, gather):
    evidence = gather(honest)
    assert evidence.frame.leavers > 70
    report = find_leaks(evidence)
    assert report.lines == [f"leakage: 11 checks, {len(evidence.columns)} columns, nothing found"]
