"""How customers are met."""

from __future__ import annotations

from typing import Literal

Channel = Literal["manager", "message", "self_service"]
"""A person, a text message, or the customer's own account page."""
