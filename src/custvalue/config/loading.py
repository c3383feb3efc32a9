"""From a YAML file to a frozen `Config`: variables filled in, paths resolved, faults told with their place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator

from custvalue.config.alerts import AlertRules
from custvalue.config.base import Settings
from custvalue.config.churn import ChurnConfig, TuningConfig
from custvalue.config.documents import Document, read_document
from custvalue.config.engine import EngineName, SparkConfig
from custvalue.config.faults import Place
from custvalue.config.features import FeaturesConfig
from custvalue.config.lists import ListsConfig
from custvalue.config.messages import told_with_lines
from custvalue.config.monitoring import MonitoringConfig
from custvalue.config.orders import OrdersConfig
from custvalue.config.outcomes import TAKEN, OutcomeConfig, OutcomeName, OutcomeSettings, TimeToLeave
from custvalue.config.page import PageConfig
from custvalue.config.promotion import PromotionConfig
from custvalue.config.publish import PublishConfig
from custvalue.config.retention import RetentionPolicyConfig
from custvalue.config.scorecard import ScorecardConfig
from custvalue.config.sources import SourceMapping, SourcesConfig, TableChecks
from custvalue.config.tiers import TierPolicyConfig
from custvalue.config.triggers import TriggerRules
from custvalue.errors import ConfigError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_Model = TypeVar("_Model", bound=Settings)
ALERTS = Path("monitoring", "alerts.yaml")
TRIGGERS = Path("triggers", "default.yaml")


class Config(Settings):
    """Everything one operator's runs need; paths are absolute once loaded.

    Attributes
    ----------
    name : str
        Defaults to the file's stem; also the registered model's name.
    currency, time_zone, language
        One currency; months and days are cut in this zone; words are written in ``en`` or ``zh``.
    workspace : Path
        Holds ``models/`` and ``output/``.
    output : Path
        Defaults to ``<workspace>/output/<name>``.
    engine : str
        What computes a night's features and scores: ``duckdb``, in this process, or ``spark`` as ``spark`` says; see `SparkConfig`.
    tier_policy, retention_policy : Path
        YAML files.
    outcomes : dict
        Name → an outcome modelled beside that of ``churn``; its model is registered as ``<name>-<outcome>``.
    alerts : Path
        Alert rules; defaults to ``monitoring/alerts.yaml`` beside the config, else the ones shipped with the package.
    triggers : Path
        Trigger and care rules; defaults to ``triggers/default.yaml`` beside the config, else the ones shipped with the package.
    wording : Path
        Folder of ``reasons.yaml`` and ``labels.yaml``; defaults to ``wording`` beside the config, else the one shipped with the package.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    currency: str = Field(default="CNY", pattern=r"^[A-Z]{3}$")
    time_zone: str = "UTC"
    language: str = Field(default="en", pattern="^(en|zh)$")
    workspace: Path
    output: Path
    sources: SourcesConfig
    engine: EngineName = "duckdb"
    spark: SparkConfig = SparkConfig()
    features: FeaturesConfig = FeaturesConfig()
    tier_policy: Path
    churn: ChurnConfig = ChurnConfig()
    outcomes: dict[OutcomeName, OutcomeConfig] = Field(default_factory=dict)
    promotion: PromotionConfig = PromotionConfig()
    publish: PublishConfig = PublishConfig()
    monitoring: MonitoringConfig = MonitoringConfig()
    orders: OrdersConfig = OrdersConfig()
    scorecard: ScorecardConfig = ScorecardConfig()
    page: PageConfig = PageConfig()
    lists: ListsConfig = ListsConfig()
    alerts: Path = Field(default_factory=lambda: ready_configs() / ALERTS)
    triggers: Path = Field(default_factory=lambda: ready_configs() / TRIGGERS)
    retention_policy: Path
    wording: Path

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"unknown time zone {value!r}; use an IANA name such as Asia/Shanghai") from error
        return value

    @field_validator("outcomes")
    @classmethod
    def _apart(cls, value: dict[str, OutcomeConfig]) -> dict[str, OutcomeConfig]:
        if taken := [name for name in TAKEN if name in value]:
            raise ValueError(f"no outcome may be called {taken[0]!r}, because that name is taken; give it another one")
        hazards = [name for name, outcome in value.items() if isinstance(outcome, TimeToLeave)]
        if hazards[1:]:
            raise ValueError(f"{' and '.join(hazards)} both foretell the time until leaving; keep one")
        return value

    @property
    def training_output(self) -> Path:
        """Folder for the card and the plots of a training: those of an outcome beside the main one lie in ``outcomes/<outcome>``."""
        return self.output / "outcomes" / self.churn.name if isinstance(self.churn, OutcomeSettings) else self.output

    def for_outcome(self, outcome: str | None) -> Config:
        """Give the config under which an outcome's model is trained, promoted and loaded; itself for None, the main outcome.

        Raises
        ------
        ConfigError
            No outcome is called so.
        """
        if outcome is None:
            return self
        if outcome not in self.outcomes:
            known = ", ".join(self.outcomes) or "none yet"
            raise ConfigError(f"{self.name}: no outcome is called {outcome!r}; `outcomes` in the config names {known}.")
        settings = OutcomeSettings.of(self.churn, outcome, self.outcomes[outcome])
        return self.model_copy(update={"name": f"{self.name}-{outcome}", "churn": settings})

    def with_search(self, trials: int | None, seconds: float | None) -> Config:
        """Give the config with another budget for the search of booster settings; itself where neither is given."""
        if trials is None and seconds is None:
            return self
        churn = self.churn.model_copy(update={"tuning": TuningConfig(trials=trials or 0, seconds=seconds)})
        return self.model_copy(update={"churn": churn})

    def with_stale_allowed(self, tables: Sequence[str], reason: str) -> Config:
        """Give the config under which some tables' feeds may be late; itself for none."""
        if not tables:
            return self
        checks = self.sources.checks
        own = {name: checks.tables.get(name, TableChecks()) for name in tables}
        allowed = {name: checks_of.model_copy(update={"allow": {**checks_of.allow, "late": reason}}) for name, checks_of in own.items()}
        checks = checks.model_copy(update={"tables": {**checks.tables, **allowed}})
        return self.model_copy(update={"sources": self.sources.model_copy(update={"checks": checks})})


def ready_configs() -> Path:
    """Folder of the YAML files that ship with the package."""
    installed = Path(__file__).parents[1] / "configs"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "configs"


def load_config(path: Path, *, environ: Mapping[str, str] | None = None) -> Config:
    """Read a config file.

    Parameters
    ----------
    path : Path
        YAML file. Relative paths inside resolve against its folder.
    environ : mapping, optional
        Values for ``${NAME}`` and ``${NAME:-default}``; nothing else is read from the environment.

    Raises
    ------
    ConfigError
        The file is missing, is not YAML, names an unset variable, or breaks the schema.
    """
    document = read_document(path)
    raw = _filled(document.data, environ or {}, document)
    folder = path.resolve().parent

    def resolve(section: dict[str, Any], *keys: str) -> None:
        for key in keys:
            if isinstance(section.get(key), str):
                section[key] = str((folder / section[key]).resolve())

    raw.setdefault("name", path.stem)
    raw.setdefault("workspace", ".")
    own = folder / "wording"
    raw.setdefault("wording", str(own if own.is_dir() else ready_configs() / "wording"))
    for key, ready in (("alerts", ALERTS), ("triggers", TRIGGERS)):
        if (folder / ready).is_file():
            raw.setdefault(key, str(folder / ready))
    resolve(raw, "workspace", "output", "wording", "alerts", "triggers", "tier_policy", "retention_policy")
    raw.setdefault("output", str(Path(str(raw["workspace"])) / "output" / str(raw["name"])))
    if isinstance(raw.get("sources"), dict):
        resolve(raw["sources"], "folder", "mapping")
    if isinstance(raw.get("publish"), dict):
        resolve(raw["publish"], "metrics")
    if isinstance(raw.get("lists"), dict):
        resolve(raw["lists"], "salesforce", "dynamics")
    config = _validated(Config, raw, document)
    config.sources.remember_variables(environ or {})
    return config


def load_tier_policy(path: Path) -> TierPolicyConfig:
    """Read a tier policy; see `TierPolicyConfig`."""
    document = read_document(path)
    return _validated(TierPolicyConfig, document.data, document)


def load_retention_policy(path: Path) -> RetentionPolicyConfig:
    """Read a retention policy; see `RetentionPolicyConfig`."""
    document = read_document(path)
    return _validated(RetentionPolicyConfig, document.data, document)


def load_alert_rules(path: Path) -> AlertRules:
    """Read alert rules; see `AlertRules`."""
    document = read_document(path)
    return _validated(AlertRules, document.data, document)


def load_trigger_rules(path: Path) -> TriggerRules:
    """Read trigger and care rules; see `TriggerRules`."""
    document = read_document(path)
    return _validated(TriggerRules, document.data, document, context={"thresholds": _numbers(document.data.get("thresholds"))})


def load_mapping(path: Path, *, environ: Mapping[str, str] | None = None) -> SourceMapping:
    """Read a source mapping; ``${NAME}`` is filled in as in a config. See `SourceMapping`."""
    document = read_document(path)
    return _validated(SourceMapping, _filled(document.data, environ or {}, document), document)


def _numbers(thresholds: Any) -> dict[str, float]:
    """Keep the numbers of what should be names with numbers; the model tells what is wrong with the others."""
    given = thresholds.items() if isinstance(thresholds, dict) else ()
    return {name: value for name, value in given if isinstance(name, str) and isinstance(value, int | float)}


def _filled(value: Any, environ: Mapping[str, str], document: Document, place: Place = ()) -> Any:
    """Fill variables into the texts of parsed YAML, so that a value is never read as YAML itself."""
    if isinstance(value, dict):
        return {key: _filled(inner, environ, document, (*place, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, environ, document, (*place, position)) for position, inner in enumerate(value)]
    if not isinstance(value, str):
        return value

    def fill(match: re.Match[str]) -> str:
        found = environ.get(match[1]) or match[2]
        if found is None:
            line, key = document.locate(place)
            told = f"{key}: ${{{match[1]}}} is not set. Set it, or write ${{{match[1]}:-default}}."
            raise ConfigError(f"{document.path}:{line}: {told}")
        return found

    return _VARIABLE.sub(fill, value)


def _validated(model: type[_Model], raw: Mapping[str, Any], document: Document, context: Mapping[str, Any] | None = None) -> _Model:
    try:
        return model.model_validate(raw, context=context)
    except ValidationError as error:
        raise ConfigError(told_with_lines(error, model, document)) from error
