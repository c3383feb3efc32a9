import multiprocessing
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from custvalue.errors import ConfigError, ModelError, TryAgainError
from custvalue.publish.locks import hold
from custvalue.tracking import Store
from custvalue.tracking.calm import shown
from custvalue.tracking.database import locate
from custvalue.tracking.runs import find_experiment

from .conftest import training


def test_nothing_is_made_where_nothing_was_trained(tmp_path):
    with pytest.raises(ModelError, match=r"no champion for 'telco'.*custvalue train.*custvalue promote") as absent:
        Store.open(tmp_path / "models", tracking_uri=None, name="telco", create=False)
    assert absent.value.exit_code == 4
    assert list(tmp_path.iterdir()) == []


def _first_touch(models, barrier, results):
    barrier.wait(30)
    try:
        store = Store.open(models, tracking_uri=None, name="telco", create=True)
        results.put(("ok", find_experiment(store._client, store._place, "telco")))
    except Exception as error:
        results.put(("failed", repr(error)))


def test_processes_that_first_touch_a_store_together_all_get_it(mlflow, tmp_path):
    # MLflow is loaded before the fork, so that the processes start together.
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(3), fork.Queue()
    processes = [fork.Process(target=_first_touch, args=(tmp_path / "models", barrier, results)) for _ in range(3)]
    for process in processes:
        process.start()
    told = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(10)
    assert [outcome for outcome, _ in told] == ["ok"] * 3, told
    assert len({experiment for _, experiment in told}) == 1
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == [".lock", "mlflow.db"]


def test_what_a_killed_first_touch_left_is_no_obstacle(tmp_path, bundle):
    models = tmp_path / "models"
    models.mkdir()
    (models / ".mlflow.db.new").write_bytes(b"half a database")
    (models / "mlflow.db").touch()
    store = Store.open(models, tracking_uri=None, name="telco", create=True)
    assert store.find("champion") is None
    assert not (models / ".mlflow.db.new").exists()


def test_a_locked_database_asks_to_try_again(tmp_path, new_store):
    models = new_store(tmp_path / "models")
    with closing(sqlite3.connect(models / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TryAgainError, match="database is locked") as busy:
            Store.open(models, tracking_uri=None, name="telco", create=False, patience=0.1)
    assert busy.value.exit_code == 75


def test_a_server_that_does_not_answer_asks_to_try_again(tmp_path, monkeypatch):
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        uri = f"http://me:secret@127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        store = Store.open(tmp_path, tracking_uri=uri, name="telco", create=False)
        with pytest.raises(TryAgainError, match="out of reach") as away:
            store.load("champion")
    assert "secret" not in str(away.value)


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"not a database, but long enough to be looked at" * 30)
    with pytest.raises(ModelError, match="not a database"):
        Store.open(tmp_path, tracking_uri=None, name="telco", create=False)


@pytest.mark.slow
def test_a_database_locked_while_a_training_is_logged_asks_to_try_again(tmp_path, bundle, new_store, capfd):
    store = Store.open(new_store(tmp_path), tracking_uri=None, name="telco", create=True)
    with closing(sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TryAgainError, match="database is locked"):
            store.log_training(**training(bundle))
    assert capfd.readouterr() == ("", "")


def test_a_first_touch_by_another_process_is_waited_for_only_so_long(tmp_path):
    with hold(tmp_path / ".lock"), pytest.raises(TryAgainError, match="locked by process"):
        Store.open(tmp_path, tracking_uri=None, name="telco", create=True, patience=0.2)
    assert not (tmp_path / "mlflow.db").exists()


def test_another_sqlite_store_is_honoured_and_keeps_its_files_beside_it(tmp_path, bundle, new_store, connect):
    new_store(tmp_path / "shared")
    uri = f"sqlite:///{tmp_path}/shared/mlflow.db"
    store = Store.open(tmp_path / "models", tracking_uri=uri, name="telco", create=True)
    store.log_training(**training(bundle))
    assert not (tmp_path / "models").exists()
    assert store.address == uri
    client = connect(tmp_path / "shared")
    assert client.get_experiment_by_name("telco").artifact_location == (tmp_path / "shared/artifacts/telco").as_uri()
    assert store.load("challenger").digest == bundle.digest


@pytest.mark.parametrize(
    ("uri", "artifacts"),
    [
        ("https://mlflow.example", None),
        ("databricks", None),
        ("postgresql+psycopg2://me:secret@db/mlflow", "file:///w/models/artifacts"),
    ],
)
def test_servers_and_databases_keep_their_own_address(uri, artifacts):
    place = locate(Path("/w/models"), uri, patience=1)
    assert (place.tracking_uri, place.database, place.artifacts) == (uri, None, artifacts)


@pytest.mark.parametrize("uri", ["mlruns", "file:///tmp/mlruns", "./store", "sqlite:////tmp/a?mode=ro"])
def test_an_address_without_a_registry_is_refused(uri):
    with pytest.raises(ConfigError) as wrong:
        locate(Path("/w/models"), uri, patience=1)
    assert wrong.value.exit_code == 2


def test_a_password_is_never_shown():
    assert shown("postgresql://me:secret@db:5432/mlflow") == "postgresql://***@db:5432/mlflow"
    assert shown("sqlite:////work/models/mlflow.db") == "sqlite:////work/models/mlflow.db"
