"""The key behind customer tokens: made once, for its owner's eyes only, and never a weak one."""

from __future__ import annotations

import os
import stat

import pytest

from custvalue.app.keys import VARIABLE, token_key
from custvalue.errors import ConfigError


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_it_is_made_once_and_only_its_owner_can_read_it(tmp_path, open_umask):
    key = token_key(tmp_path / "output" / "op", {})
    path = tmp_path / "output" / "op" / "token.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == key
    changed = path.stat().st_mtime_ns
    assert token_key(tmp_path / "output" / "op", {}) == key
    assert path.stat().st_mtime_ns == changed


def test_it_is_64_random_hexadecimal_digits(tmp_path):
    keys = {token_key(tmp_path / str(number), {}) for number in range(20)}
    assert len(keys) == 20
    assert all(len(key) == 64 and int(key, 16) > 0 for key in keys)


def test_the_environment_wins_and_no_file_is_made(tmp_path):
    token_key(tmp_path / "made", {})
    assert token_key(tmp_path / "made", {VARIABLE: "k" * 16}) == b"k" * 16
    assert token_key(tmp_path / "none", {VARIABLE: "k" * 40}) == b"k" * 40
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("length", [0, 1, 15])
def test_a_short_one_is_refused_wherever_it_comes_from(tmp_path, length):
    with pytest.raises(ConfigError, match=f"^{VARIABLE}: a token key needs at least 16 bytes, this one has {length}\\."):
        token_key(tmp_path, {VARIABLE: "k" * length})
    path = tmp_path / "token.key"
    path.write_bytes(b"k" * length)
    with pytest.raises(ConfigError, match=f"token.key: a token key needs at least 16 bytes, this one has {length}\\.") as told:
        token_key(tmp_path, {})
    assert "kkk" not in str(told.value)
    assert told.value.exit_code == 2


def test_the_length_counts_bytes(tmp_path):
    assert len(token_key(tmp_path, {VARIABLE: "钥" * 6})) == 18
