"""Masks and tokens: nothing identifying leaves, and nothing is confused."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.errors import ConfigError, DataError
from custvalue.lists import customer_token, customer_tokens, mask_name, mask_number, order_id

# RFC 4231, test case 2
KEY, TEXT = b"Jefe", "what do ya want for nothing?"
DIGEST = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_the_token_is_the_start_of_hmac_sha256():
    assert customer_token(KEY, TEXT) == "C-" + DIGEST[:10]


@given(key=st.binary(min_size=1, max_size=64), ids=st.lists(st.text(min_size=1), max_size=20))
def test_many_tokens_are_the_single_ones_by_the_rfc(key: bytes, ids: list[str]):
    def hmac_sha256(message: bytes) -> str:
        padded = key.ljust(64, b"\0")
        inner = hashlib.sha256(bytes(b ^ 0x36 for b in padded) + message).digest()
        return hashlib.sha256(bytes(b ^ 0x5C for b in padded) + inner).hexdigest()

    assert customer_tokens(key, ids) == [f"C-{hmac_sha256(each.encode())[:10]}" for each in ids]


def test_tokens_depend_on_the_key_and_on_leading_zeros():
    assert customer_token(b"a", "007") != customer_token(b"b", "007")
    assert customer_token(b"a", "007") != customer_token(b"a", "7")


def test_a_token_needs_a_key_and_text():
    with pytest.raises(ConfigError, match="key of the customer tokens is empty"):
        customer_token(b"", "1")
    with pytest.raises(DataError, match=r"one is int \(13\*\*\*34\)"):
        customer_tokens(b"k", ["1", 13812341234])
    with pytest.raises(DataError, match="must be text"):
        customer_tokens(b"k", [""])


def test_an_order_is_the_same_all_night():
    assert order_id(date(2026, 1, 1), "C-7f3a90c1d2") == "20260101-C-7f3a90c1d2"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13812341234", "138****1234"),
        ("+86 138-1234-1234", "138****1234"),
        ("+919876543210", "919****3210"),
        ("02012345", "****345"),
        ("10086", "****"),
        ("", ""),
        (None, ""),
        ("  ", ""),
        ("unknown", "****"),
    ],
)
def test_masked_numbers(number: str | None, shown: str):
    assert mask_number(number) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [("张伟", "张*"), ("欧阳娜娜", "欧***"), ("王", "王*"), ("Mary Ann Jones", "M*** A*** J***"), ("X", "X***"), ("", ""), (None, "")],
)
def test_masked_names(name: str | None, shown: str):
    assert mask_name(name) == shown


@given(number=st.text("0123456789", min_size=1, max_size=15))
def test_a_masked_number_hides_four_digits_at_least(number: str):
    shown = mask_number(number)
    assert "****" in shown
    assert len(shown.replace("*", "")) <= max(0, len(number) - 4)


@given(name=st.text(min_size=2).filter(lambda text: len(text.split()) == 1 and len(text.strip()) > 1))
def test_a_masked_name_keeps_one_character(name: str):
    shown = mask_name(name)
    assert shown[0] == name.strip()[0]
    assert set(shown[1:]) == {"*"}
