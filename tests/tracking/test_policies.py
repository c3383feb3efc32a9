"""Tier policies in a real store: a version a rule with its cuts, verified when it is read."""

import json
import multiprocessing
import shutil

import pytest

from custvalue.errors import ConfigError, ModelError
from custvalue.tracking import Store, policies
from custvalue.tracking.policies import identity

from .conftest import training
from .tier_runs import FEBRUARY, JANUARY, SIGNED, fitted, policy_text, rating, share_policy


@pytest.fixture(scope="module")
def models(tmp_path_factory, new_store):
    return new_store(tmp_path_factory.mktemp("policies") / "models")


@pytest.fixture
def store(models, request):
    return Store.open(models, tracking_uri=None, name=request.node.originalname[-40:], create=True)


@pytest.fixture
def client(models, connect):
    return connect(models)


def versions(client, store):
    return sorted(int(version.version) for version in client.search_model_versions(f"name = '{store.policies}'"))


def test_a_policy_comes_back_as_it_was_with_its_text(store, client, tmp_path):
    policy = fitted(tmp_path, note="# 钻石不在此")
    logged = store.log_rating(rating(policy), **SIGNED)
    assert (logged.version.version, logged.version.label) == (1, "consumer-v1")
    assert store.load_policy("current") == store.load_policy(1) == store.load_policy("1") == policy[0]
    found = client.get_model_version(store.policies, "1")
    run = client.get_run(found.run_id)
    assert (run.info.status, run.data.tags["kind"], run.data.params["policy_version"]) == ("FINISHED", "policy", "consumer-v1")
    (folder,) = (store.models / "artifacts" / store.policies).glob("*/artifacts/policy")
    assert found.source == folder.as_uri()
    assert (folder / "policy.yaml").read_text() == policy[1]
    assert (folder / "policy.json").read_text() == policy[0].to_json()


def test_the_same_policy_makes_no_second_version(store, client, tmp_path):
    store.log_rating(rating(fitted(tmp_path)), **SIGNED)
    again = fitted(tmp_path, note="# a comment", source="a better citation", as_of=FEBRUARY)
    assert store.log_rating(rating(again, day=FEBRUARY, digest="e"), **SIGNED).version.version == 1
    assert versions(client, store) == [1]


def test_of_two_machines_that_register_a_policy_at_once_both_use_the_earlier_version(store, client, tmp_path, monkeypatch):
    store.log_rating(rating(fitted(tmp_path)), **SIGNED)
    found, asked = policies._existing, []

    def not_there_yet(*arguments):
        asked.append(arguments)
        return found(*arguments) if len(asked) > 1 else None

    monkeypatch.setattr(policies, "_existing", not_there_yet)
    again = store.log_rating(rating(fitted(tmp_path), day=FEBRUARY, digest="e"), **SIGNED)
    assert again.version.version == 1
    assert versions(client, store) == [1, 2]


def test_other_content_other_cuts_and_another_label_are_versions_of_their_own(store, client, tmp_path):
    base = [10.0, 20.0, 30.0, 40.0, 50.0]
    policies = [
        share_policy(tmp_path, base),
        share_policy(tmp_path, [2 * bill for bill in base]),
        share_policy(tmp_path, base, version=2),
        fitted(tmp_path, version=2),
    ]
    assert len({identity(policy) for policy, _ in policies}) == 4
    for place, policy in enumerate(policies):
        store.log_rating(rating(policy, digest=str(place)), **SIGNED)
    assert versions(client, store) == [1, 2, 3, 4]
    assert [store.load_policy(version).cuts for version in (1, 2, 3, 4)] == [policy.cuts for policy, _ in policies]


def test_an_unfitted_policy_is_refused_before_anything_is_written(store, client, tmp_path):
    policy, text = fitted(tmp_path)
    unfitted = type(policy)(policy.config)
    with pytest.raises(ConfigError, match="no cuts to store yet"):
        store.log_rating(rating((unfitted, text)), **SIGNED)
    assert client.search_registered_models(f"name = '{store.policies}'") == []


@pytest.mark.parametrize("file", ["policy.yaml", "policy.json"])
def test_a_policy_changed_on_the_disk_is_refused(models, client, tmp_path, file):
    store = Store.open(models, tracking_uri=None, name=f"changed-{file}", create=True)
    store.log_rating(rating(fitted(tmp_path)), **SIGNED)
    (path,) = (models / "artifacts" / store.policies).rglob(file)
    text = path.read_text()
    path.write_text(text.replace("50", "51"))
    with pytest.raises(ModelError, match=rf"{file} was changed after it was registered, its SHA-256") as refused:
        store.load_policy("current")
    assert refused.value.exit_code == 4
    path.write_text(text)
    assert store.load_policy("current").label == "consumer-v1"
    path.unlink()
    with pytest.raises(ModelError, match=f"{file} cannot be read"):
        store.load_policy("current")
    shutil.rmtree(path.parent)
    with pytest.raises(ModelError, match="cannot be found"):
        store.load_policy("current")


@pytest.mark.parametrize(
    ("wanted", "way_out"),
    [
        ("current", r"no current policy among 'op-tiers'.*custvalue tiers"),
        ("proposed", r"no proposed policy.*custvalue what-if"),
        (7, "no version 7 of 'op-tiers'.*mlflow ui"),
    ],
)
def test_what_is_not_registered_is_told_with_the_way_out(models, wanted, way_out):
    store = Store.open(models, tracking_uri=None, name="op", create=True)
    assert store.find_policy(wanted) is None
    with pytest.raises(ModelError, match=way_out):
        store.load_policy(wanted)


def test_what_somebody_else_registered_is_no_policy(store, client):
    client.create_registered_model(store.policies)
    client.create_model_version(store.policies, source=store.models.as_uri())
    with pytest.raises(ModelError, match="custvalue did not register it"):
        store.load_policy(1)


def test_policies_and_churn_models_of_one_config_do_not_mix(store, bundle, tmp_path):
    trained = store.log_training(**training(bundle))
    store.log_rating(rating(fitted(tmp_path)), **SIGNED)
    assert store.find("current") is None
    assert store.find("challenger").version == trained.version == 1
    assert store.find_policy("challenger") is None
    assert store.load("challenger").digest == bundle.digest


def test_a_config_that_bears_another_ones_policy_name_is_refused(models, bundle, tmp_path):
    Store.open(models, tracking_uri=None, name="north-tiers", create=True).log_training(**training(bundle))
    store = Store.open(models, tracking_uri=None, name="north", create=True)
    with pytest.raises(ConfigError, match=r"'north-tiers'.*churn models.*Rename one"):
        store.log_rating(rating(fitted(tmp_path)), **SIGNED)


def test_a_failure_while_registering_leaves_no_version(store, client, tmp_path):
    policy = fitted(tmp_path)
    folder = store.models / "artifacts" / store.policies
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder should be")
    with pytest.raises((ModelError, OSError)):
        store.log_rating(rating(policy), **SIGNED)
    assert versions(client, store) == []
    experiment = client.get_experiment_by_name(store.policies)
    assert [run.info.status for run in client.search_runs([experiment.experiment_id])] == ["FAILED"]
    folder.unlink()
    assert store.log_rating(rating(policy), **SIGNED).version.version == 1


def test_a_moved_store_still_gives_the_policy(store, tmp_path):
    policy = fitted(tmp_path)
    store.log_rating(rating(policy), **SIGNED)
    shutil.copytree(store.models, tmp_path / "elsewhere" / "models")
    copy = Store.open(tmp_path / "elsewhere" / "models", tracking_uri=None, name=store.name, create=False)
    (path,) = (store.models / "artifacts" / store.policies).rglob("policy.json")
    path.unlink()
    assert copy.load_policy("current") == policy[0]


def _rate(models, text, folder, barrier, results):
    barrier.wait(60)
    try:
        store = Store.open(models, tracking_uri=None, name="together", create=True)
        logged = store.log_rating(rating(fitted(folder, text=text), day=JANUARY), **SIGNED)
        results.put(("ok", logged.version.version, logged.new, logged.moved, logged.run_id))
    except Exception as error:
        results.put(("failed", repr(error), None, None, None))


def test_processes_that_log_the_same_rating_together_make_one_version_and_one_run(mlflow, tmp_path, new_store, connect):
    models = new_store(tmp_path / "models")
    # MLflow is loaded before the fork, so that the processes start together.
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(3), fork.Queue()
    folders = [tmp_path / str(place) for place in range(3)]
    for folder in folders:
        folder.mkdir()
    processes = [fork.Process(target=_rate, args=(models, policy_text(), folder, barrier, results)) for folder in folders]
    for process in processes:
        process.start()
    told = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(10)
    assert [outcome for outcome, *_ in told] == ["ok"] * 3, told
    assert {version for _, version, *_ in told} == {1}
    assert sorted(new for _, _, new, _, _ in told) == sorted(moved for *_, moved, _ in told) == [False, False, True]
    assert len({run for *_, run in told}) == 1
    client = connect(models)
    experiment = client.get_experiment_by_name("together-tiers")
    kinds = sorted(run.data.tags["kind"] for run in client.search_runs([experiment.experiment_id]))
    assert kinds == ["policy", "rating"]
    lines = [json.loads(line) for line in (models / "policies.jsonl").read_text().splitlines()]
    assert sorted(line["event"] for line in lines) == ["current", "rated", "rated", "rated"]
