"""Where a night is computed: on this machine, or on a Spark cluster."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from custvalue.config.base import Settings

EngineName = Literal["duckdb", "spark"]


class SparkConfig(Settings):
    """The Spark session of a night with ``engine: spark``.

    Attributes
    ----------
    master : str
        Where Spark runs: ``local[2]`` is two threads of this machine, ``spark://host:7077``, ``yarn`` and ``k8s://…`` are clusters. Their
        executors must reach ``sources.folder`` and ``output`` under the same paths.
    settings : dict
        Further Spark settings, such as ``spark.executor.memory``.
    """

    master: str = Field(default="local[2]", min_length=1)
    settings: dict[str, str] = Field(default_factory=dict)

    @field_validator("settings", mode="before")
    @classmethod
    def _plain_yaml(cls, value: Any) -> Any:
        # YAML reads 4 as a number and true as a truth value; Spark's settings are texts
        return {name: _text(given) for name, given in value.items()} if isinstance(value, dict) else value


def _text(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value
