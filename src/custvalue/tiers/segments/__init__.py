"""Behavioural segments: who uses what, found once, stored as data, and given to every customer by the nearest centre."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from custvalue.errors import ConfigError, DataError, some
from custvalue.publish.durable import create_json, full_disk_can_wait
from custvalue.tiers.segments.clustering import Candidate, choose_number, compare_numbers, find_centroids, nearest
from custvalue.tiers.segments.signals import Signal, family_lines, find_signals, fit_signals, sample_customers, scale, scaled_values
from custvalue.tiers.segments.traits import Segment, name_segments, trait_words
from custvalue.wording import Catalogue


@dataclass(frozen=True)
class SegmentModel:
    """Behavioural segments as fitted.

    One model serves all tiers: its signals are shares of a customer's own use, so what is spent, which the tier tells, does not enter,
    and gold and silver roamers are told by the same word. Whoever wants segments of one tier alone fits on that tier's customers.

    Attributes
    ----------
    name, version : str, int
        Written to files. A version's content never changes.
    fitted_as_of : date
        Day of the feature table.
    customers : int
        Customers it was fitted on.
    seed : int
        Of draws and starts.
    signals : tuple of Signal
        Sides of behaviour, in the order of the centroids' numbers.
    segments : tuple of Segment
        Largest first; a single one where none are stable.
    candidates : tuple of Candidate
        What was found for each number of segments.
    """

    name: str
    version: int
    fitted_as_of: date
    customers: int
    seed: int
    signals: tuple[Signal, ...]
    segments: tuple[Segment, ...]
    candidates: tuple[Candidate, ...]

    @classmethod
    def fit(
        cls,
        features: ir.Table | pd.DataFrame,
        *,
        as_of: date,
        name: str = "behaviour",
        version: int = 1,
        seed: int = 7,
        log: Callable[[str], None] = lambda _: None,
    ) -> SegmentModel:
        """Find segments in a feature table.

        Of more than 50,000 customers those with the lowest MD5 of their id are taken: the same ones on every engine, in any order of rows.

        Parameters
        ----------
        features : ibis.Table or DataFrame
            One row a customer: ``customer_id`` and feature columns, of which `signals.find_signals` takes those it knows, and
            ``household_lines``.
        as_of : date
            Day of the table.
        name, version : str, int, optional
            What the model is stored as.
        seed : int, optional
            Of draws and starts.
        log : callable, optional
            Receives a line for each signal that is left out, and how the number of segments was chosen.

        Raises
        ------
        DataError
            The table is empty.
        """
        label = f"segments {name}-v{version}"
        sample = sample_customers(features)
        if sample.num_rows == 0:
            raise DataError(f"{label}: the feature table of {as_of} is empty. Check the as-of date.")
        table = ibis.memtable(sample)
        signals, left_out = fit_signals(table, find_signals(table.columns))
        for line in left_out:
            log(f"{label}: {line}, so it is left out")
        values = scaled_values(table, signals)
        candidates = compare_numbers(np.random.default_rng(seed).permutation(values), seed=seed)
        count = choose_number(candidates)
        log(f"{label}: {count} segment(s) are stable among the customers ({len(values):,} were looked at)")
        centroids, segment = find_centroids(values, count, seed=seed)
        segments = name_segments(values, family_lines(table), centroids, segment, [signal.name for signal in signals])
        return cls(name, version, as_of, len(values), seed, signals, segments, candidates)

    @classmethod
    def fit_once(
        cls, features: ir.Table | pd.DataFrame, *, as_of: date, folder: Path, name: str = "behaviour", log: Callable[[str], None]
    ) -> SegmentModel:
        """Load the newest stored version, or fit and store version 1: segments must not move because they were found anew."""
        if (newest := newest_version(folder, name)) is not None:
            return cls.load(folder / f"{name}-v{newest}.json")
        fitted = cls.fit(features, as_of=as_of, name=name, log=log)
        fitted.save(folder)
        return fitted

    @property
    def label(self) -> str:
        """Name and version, for example ``behaviour-v1``."""
        return f"{self.name}-v{self.version}"

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the segments, largest first."""
        return tuple(segment.code for segment in self.segments)

    @property
    def columns(self) -> tuple[str, ...]:
        """Feature columns that `assign` reads."""
        return tuple(signal.column for signal in self.signals)

    def words(self, catalogue: Catalogue, language: str) -> dict[str, str]:
        """Code → what the segment is called; segments that no trait tells apart are numbered."""
        words = [trait_words(segment.traits, catalogue, language) for segment in self.segments]
        numbered = [f"{text} {words[: place + 1].count(text)}" if words.count(text) > 1 else text for place, text in enumerate(words)]
        return dict(zip(self.codes, numbered, strict=True))

    def assign(self, features: ir.Table) -> ir.Table:
        """Give every customer the segment whose centre is nearest.

        A signal that is not known of a customer counts as the usual one.

        Parameters
        ----------
        features : ibis.Table
            One row a customer: ``customer_id`` and the feature `columns`.

        Returns
        -------
        ibis.Table
            ``customer_id, segment``: one expression, equal on every engine.

        Raises
        ------
        ConfigError
            A column is absent.
        """
        if absent := [column for column in self.columns if column not in features.columns]:
            raise ConfigError(
                f"segments {self.label}: features {some(absent)} are not in the feature table. Restore the tables that give them, or fit "
                "a new version."
            )
        if len(self.segments) == 1:
            return features.select("customer_id", segment=ibis.literal(self.codes[0]))
        values = scale(features, self.signals)
        return nearest(values, [signal.name for signal in self.signals], {segment.code: segment.centroid for segment in self.segments})

    def to_json(self) -> str:
        """Write the model as JSON text, with a digest; the same customers give the same text."""
        return json.dumps(self._state(), ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> SegmentModel:
        """Read what `to_json` wrote; raises ConfigError for text that is damaged or was edited."""
        try:
            content = json.loads(text)
            digest = content.pop("digest")
            model = cls(
                **content
                | {
                    "fitted_as_of": date.fromisoformat(content["fitted_as_of"]),
                    "signals": tuple(Signal(**signal) for signal in content["signals"]),
                    "segments": tuple(
                        Segment(**part | {"traits": tuple(part["traits"]), "centroid": tuple(part["centroid"])})
                        for part in content["segments"]
                    ),
                    "candidates": tuple(Candidate(**candidate) for candidate in content["candidates"]),
                }
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"fitted segments cannot be read ({type(error).__name__}: {error}). Fit them again.") from error
        if digest != _digest(content):
            raise ConfigError(
                f"fitted segments {model.label}: the text was edited after it was written. Restore the file, or fit a new version."
            )
        return model

    def save(self, folder: Path) -> Path:
        """Write ``<label>.json`` into `folder`, whole or not at all; the same model again changes nothing.

        Raises
        ------
        ConfigError
            This version is stored with another content.
        TryAgainError
            The disk is full.
        """
        path = folder / f"{self.label}.json"
        try:
            with full_disk_can_wait(path):
                create_json(path, self._state())
        except FileExistsError as error:
            if path.read_text(encoding="utf-8") != self.to_json():
                raise ConfigError(f"{path}: segments {self.label} are stored with another content. Fit them as a new version.") from error
        return path

    @classmethod
    def load(cls, path: Path) -> SegmentModel:
        """Read a stored model; raises ConfigError where it is absent, damaged or was edited."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: segments cannot be read ({error}). Fit them again.") from error

    def _state(self) -> dict[str, Any]:
        content = asdict(self) | {"fitted_as_of": self.fitted_as_of.isoformat()}
        return content | {"digest": _digest(content)}


def newest_version(folder: Path, name: str = "behaviour") -> int | None:
    """Give the highest version of a model stored in a folder; None where there is none."""
    versions = [path.stem.rpartition("-v")[2] for path in folder.glob(f"{name}-v*.json")]
    return max((int(version) for version in versions if version.isdigit()), default=None)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()
