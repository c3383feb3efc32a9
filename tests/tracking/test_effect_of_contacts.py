"""What contacts by lot taught goes with the model that was trained beside it, and is verified like it."""

import hashlib

import pytest

from custvalue.errors import ModelError
from custvalue.tracking import Store

from .conftest import training

TAUGHT = '{"contacts": 3, "told": "学得"}'


@pytest.fixture
def store(tmp_path, new_store):
    return Store.open(new_store(tmp_path / "models"), tracking_uri=None, name="telco", create=True)


def test_it_is_registered_with_its_model_and_comes_back_as_it_was(store, bundle):
    version = store.log_training(**training(bundle), effect=TAUGHT)
    assert version.effect_digest == hashlib.sha256(TAUGHT.encode()).hexdigest()
    loaded = store.load("challenger")
    assert (loaded.effect, loaded.effect_digest) == (TAUGHT, version.effect_digest)


def test_a_version_without_one_has_none(store, bundle):
    assert store.log_training(**training(bundle)).effect_digest == ""
    assert store.load("challenger").effect is None


@pytest.mark.parametrize("damage", [lambda path: path.write_text(TAUGHT.replace("3", "4")), lambda path: path.unlink()])
def test_one_that_was_changed_on_the_disk_is_refused(store, bundle, tmp_path, damage):
    store.log_training(**training(bundle), effect=TAUGHT)
    (path,) = (tmp_path / "models").rglob("effect.json")
    damage(path)
    with pytest.raises(ModelError, match=r"effect\.json of the model has the digest .*Restore it or train again"):
        store.load("challenger")
