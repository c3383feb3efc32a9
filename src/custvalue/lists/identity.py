"""What stands for a customer on a list: masked names and numbers, keyed tokens, order ids."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import date

from custvalue.errors import ConfigError, DataError, mask

_SHOWN = 10


def mask_name(name: str | None) -> str:
    """Keep the first character of each word of a name; for display, not anonymisation.

    >>> mask_name("王小明"), mask_name("Mary Jones"), mask_name(None)
    ('王**', 'M*** J***', '')
    """
    return " ".join(_masked_word(word) for word in (name or "").split())


def mask_number(number: str | None) -> str:
    """Hide the middle of a telephone number; for display, not anonymisation.

    Of eleven digits and more the first three and last four are kept (a leading 86 is left out), of seven to ten the
    last three, of fewer none. Anything that holds no digit is hidden.

    >>> mask_number("13812341234"), mask_number("+86 138-1234-1234"), mask_number("5551234"), mask_number("")
    ('138****1234', '138****1234', '****234', '')
    """
    text = (number or "").strip()
    digits = "".join(character for character in text if character.isdecimal())
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    if len(digits) >= 11:
        return f"{digits[:3]}****{digits[-4:]}"
    if len(digits) >= 7:
        return f"****{digits[-3:]}"
    return "****" if text else ""


def customer_token(key: bytes, customer_id: str) -> str:
    """Give a customer's token: ``C-`` and the first ten hexadecimal digits of HMAC-SHA256.

    Parameters
    ----------
    key : bytes
        Secret; another key gives other tokens. Ten digits are 40 bits: two of a million customers may share a token,
        so a token names a customer within a list, not across the base.
    customer_id : str
        Exact text: ``007`` and ``7`` are different customers.

    Raises
    ------
    ConfigError
        The key is empty.
    DataError
        The id is not text, or is empty.
    """
    return customer_tokens(key, [customer_id])[0]


def customer_tokens(key: bytes, customer_ids: Iterable[str]) -> list[str]:
    """Give the tokens of many customers, in their order; see `customer_token`."""
    if not key:
        raise ConfigError("The key of the customer tokens is empty: anybody could compute them. Set a secret key.")
    tokens = []
    for customer_id in customer_ids:
        if not isinstance(customer_id, str) or not customer_id:
            raise DataError(
                f"customer_id must be text to get a token; one is {type(customer_id).__name__} ({mask(customer_id)}). "
                "Read the column as text, so that leading zeros stay."
            )
        tokens.append(f"C-{hmac.digest(key, customer_id.encode(), 'sha256').hex()[:_SHOWN]}")
    return tokens


def order_id(as_of: date, token: str) -> str:
    """Give the id of a work order: its day and the customer's token; the same night gives the same id again.

    >>> order_id(date(2026, 1, 1), "C-7f3a90c1d2")
    '20260101-C-7f3a90c1d2'
    """
    return f"{as_of:%Y%m%d}-{token}"


def safe_name(text: str) -> str:
    """Give a file name that a manager's id cannot lead out of its folder, and that no other manager's id shares."""
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in text)
    return safe if safe and safe == text else f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _masked_word(word: str) -> str:
    # Chinese, Japanese and Korean names are short and have no spaces: a star for each hidden character reads naturally.
    hidden = "*" * (len(word) - 1) if ord(word[0]) >= 0x2E80 else "***"
    return word[0] + (hidden or "*")
