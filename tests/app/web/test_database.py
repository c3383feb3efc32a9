"""The accounts' tables: as migrated on both databases, and an audit log that nobody changes."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import inspect, text

from custvalue.app.web.schema import metadata
from custvalue.errors import TryAgainError

from .conftest import audit_of, sign_in


def test_tables_are_migrated_as_they_are_declared(site):
    with site.state.site.reading() as connection:
        found = inspect(connection)
        for table in metadata.sorted_tables:
            columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
            assert columns == {column.name: column.nullable for column in table.columns}
            assert set(found.get_pk_constraint(table.name)["constrained_columns"]) == {column.name for column in table.primary_key}
            assert {index["name"] for index in found.get_indexes(table.name)} == {index.name for index in table.indexes}


@pytest.mark.parametrize("change", ["UPDATE page_audit SET who = 'another'", "DELETE FROM page_audit", "TRUNCATE page_audit"])
def test_the_audit_log_only_grows(change, site, browse):
    browse("ann", of=site)
    before = audit_of(site)
    assert before == [("ann", "login", "")]
    with pytest.raises(TryAgainError), site.state.site.writing() as connection:
        connection.execute(text(change))
    assert audit_of(site) == before


def test_many_sign_ins_at_once_are_all_counted(site, browse):
    from custvalue.app.web.schema import attempts
    from custvalue.app.web.throttle import count_attempt

    at, failed = site.state.site.clock(), []

    def attempt(user: str) -> None:
        try:
            with site.state.site.writing() as connection:
                count_attempt(connection, (("account", user), ("address", "203.0.113.1")), at)
        except TryAgainError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=attempt, args=(f"user{number % 4}",)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with site.state.site.reading() as connection:
        counts = sorted(row.failures for row in connection.execute(attempts.select()))
    assert counts == [4, 4, 4, 4, 16]


def test_a_whole_visit_works(site, browse):
    client = browse("ann", of=site)
    assert "CRM-K1" in client.get("/today").text
    assert client.get("/orders/20260105-C-K1").status_code == 200
    assert client.get("/orders/20260105-C-K2").status_code == 404
    assert sign_in(browse(of=site), "ann", "wrong wrong wrong").status_code == 401
    assert [entry[:2] for entry in audit_of(site)] == [("ann", "login"), ("ann", "view"), ("ann", "login_failed")]
