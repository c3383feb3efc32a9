"""The churn model as a scikit-learn estimator on flat frames."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import timedelta
from importlib.metadata import version
from typing import Any, Literal

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d, validate_data

from custvalue.churn.boosting import Fit, fit_by_customer, fit_by_month
from custvalue.churn.bundle import ModelBundle
from custvalue.churn.calibration import Calibrator
from custvalue.churn.classifier_slices import find_leaks, slices_over_time
from custvalue.churn.encoding import Floats
from custvalue.churn.ensemble import Member
from custvalue.churn.flat import convert_columns, learn_columns
from custvalue.churn.frame import TrainingFrame
from custvalue.churn.splits import fold_customers
from custvalue.config import ChurnConfig
from custvalue.errors import ConfigError, DataError, some

_NO_DAY = np.datetime64("1970-01-01", "D")
_CERTAIN = 1e-15


class LeakageWarning(UserWarning):
    """A column knows the outcome too well."""


class ChurnClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A calibrated blend of LightGBM boosters that makes its own stopping and calibration splits.

    It tries boosters that differ in size and regularisation, stops each on the log loss of rows that it has not seen, blends
    their log-odds by cross-fitted log loss, merges them into one LightGBM model, and calibrates that on rows unseen by it. Nothing is
    reweighted: probabilities are for multiplying with money.

    Columns may be numbers, booleans, days, durations, text and categories, with missing values; a category that was not seen when
    fitting counts as missing. Text with more than 255 levels keeps its most frequent ones.

    Parameters
    ----------
    max_rounds : int
        Most rounds of a booster.
    stayers_kept : float
        Share of the negative class that trains, in (0, 1]; the log-odds are corrected for those left out.
    calibration : str
        ``auto``, ``none``, ``sigmoid``, ``beta`` or ``isotonic``; see `fit_calibrator`.
    monotone : dict, optional
        Column → +1 or −1 where more of it can only raise or lower the risk.
    purge : int or timedelta, optional
        Length of the outcome window, needed with ``time``: months, or a ``timedelta``. Frames by `custvalue.training_frame` bring theirs.
    random_state : int
        The same data, settings and versions give the same model on one machine.
    n_jobs : int
        LightGBM threads. On small shared machines more of them were often slower than one.

    Attributes
    ----------
    classes_ : (2,) array
        The second, by sort order, is the positive class: who leaves.
    n_features_in_ : int
    feature_names_in_ : (columns,) array
        Only where X was a frame with text names.
    members_ : tuple of Member
        The boosters in the blend, with weight and rounds, the heaviest first.
    booster_ : lightgbm.Booster
        All of them as one.
    calibrator_ : Calibrator

    Examples
    --------
    >>> model = custvalue.ChurnClassifier().fit(X, y, groups=customer)  # doctest: +SKIP
    >>> model.predict_proba(X)[:, 1]  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        max_rounds: int = 2000,
        stayers_kept: float = 1.0,
        calibration: Literal["auto", "none", "sigmoid", "beta", "isotonic"] = "auto",
        monotone: Mapping[str, int] | None = None,
        purge: int | timedelta | None = None,
        random_state: int = 7,
        n_jobs: int = 1,
    ) -> None:
        self.max_rounds = max_rounds
        self.stayers_kept = stayers_kept
        self.calibration = calibration
        self.monotone = monotone
        self.purge = purge
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: ArrayLike, *, time: ArrayLike | None = None, groups: ArrayLike | None = None) -> ChurnClassifier:
        """Fit boosters, blend and calibrator.

        Parameters
        ----------
        X : (n, columns) DataFrame or array
        y : (n,) two kinds of labels
        time : (n,) days, optional
            The day that each row looks from. The newest rows calibrate, older ones stop, and still older ones train, outcome windows
            apart; where the rows are too few for that, folds are used and a warning says so.
        groups : (n,) array, optional
            Customers: one's rows never lie in two folds.

        Raises
        ------
        DataError
            X or y cannot be learnt from; a ``ValueError``.
        ConfigError
            A parameter is wrong; a ``ValueError``.
        """
        settings = self._settings()
        frame = self._frame(X, reset=True)
        self.classes_, outcome = _outcomes(y, len(frame))
        self._columns = learn_columns(frame, self.monotone or {})
        rows = TrainingFrame(
            X=convert_columns(frame, self._columns).reset_index(drop=True),
            y=outcome,
            customer=_customers(groups, len(frame)),
            snapshot=np.full(len(frame), _NO_DAY) if time is None else _days(time, len(frame)),
        )
        for name in find_leaks(rows):
            message = f"column {name!r} alone tells the outcomes almost perfectly apart: it may have been written after them. Leave it out."
            warnings.warn(message, LeakageWarning, stacklevel=2)
        fit = self._fit(rows, settings, in_time=time is not None, apart=groups is not None, purge=self._window(frame, time))
        self.members_: tuple[Member, ...] = fit.members
        self._bundle = ModelBundle(
            model_text=fit.model_text,
            columns=tuple((column.name, column.kind) for column in self._columns),
            vocabularies=fit.vocabularies,
            calibrator=fit.calibrator,
            feature_spec_hash="",
            outcome={"positive": str(self.classes_[1])},
            trained={"rows": len(rows), "positive": int(outcome.sum()), "rounds": fit.rounds, "booster": dict(fit.params)},
            versions={package: version(package) for package in ("custvalue", "lightgbm", "numpy", "pandas")},
        )
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Calibrated probabilities, (n, 2), in the order of ``classes_``."""
        converted = self._converted(X)
        positive = self._bundle.predict_proba(converted, num_threads=self.n_jobs)
        return np.column_stack([1 - positive, positive])

    def decision_function(self, X: Any) -> Floats:
        """Calibrated log-odds of the positive class, (n,)."""
        found: Floats = logit(np.clip(self.predict_proba(X)[:, 1], _CERTAIN, 1 - _CERTAIN))
        return found

    def predict(self, X: Any) -> NDArray[Any]:
        """Give the likelier class, (n,)."""
        likelier = self.predict_proba(X)[:, 1] > 0.5
        found: NDArray[Any] = self.classes_[likelier.astype(np.intp)]
        return found

    def shap_values(self, X: Any) -> Floats:
        """Exact Shapley values, (n, columns + 1), in log-odds before calibration; the last column is the base."""
        return self.to_bundle().contributions(self._converted(X), num_threads=self.n_jobs)

    def to_bundle(self) -> ModelBundle:
        """Give the model as text and JSON, to keep and to score with; its column names hold ``_`` for spaces and ``",:[]{}``."""
        check_is_fitted(self)
        return self._bundle

    @property
    def booster_(self) -> lightgbm.Booster:
        """The merged booster."""
        return self._bundle.booster

    @property
    def calibrator_(self) -> Calibrator:
        """From its log-odds to probabilities."""
        return self._bundle.calibrator

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_bundle")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def _settings(self) -> ChurnConfig:
        try:
            return ChurnConfig(
                max_rounds=self.max_rounds,
                stayers_kept=self.stayers_kept,
                calibration=self.calibration,
                seed=self.random_state,
                threads=self.n_jobs,
            )
        except ValueError as error:
            raise ConfigError(f"a parameter of ChurnClassifier is wrong: {error}") from error

    def _window(self, frame: pd.DataFrame, time: ArrayLike | None) -> int | timedelta:
        purge = frame.attrs.get("window_months") if self.purge is None else self.purge
        if purge is None and time is not None:
            raise ConfigError("with `time`, say how long an outcome window is: ChurnClassifier(purge=3) for three months.")
        return 1 if purge is None else purge

    def _fit(self, rows: TrainingFrame, settings: ChurnConfig, *, in_time: bool, apart: bool, purge: int | timedelta) -> Fit:
        if in_time:
            slices = slices_over_time(rows, purge, apart=apart, seed=settings.seed)
            if not isinstance(slices, str):
                train, stop, calibrate = (rows.take(part) for part in slices)
                return fit_by_month(train, stop, calibrate, self._columns, settings)
            warnings.warn(f"`time` was not used, folds stop and calibrate: {slices}.", UserWarning, stacklevel=3)
        if rows.leavers < 2:
            raise DataError(f"all {int(rows.y.sum())} row(s) of the positive class belong to one of the groups; two are needed.")
        return fit_by_customer(rows, fold_customers(rows.customer, rows.y, seed=settings.seed), self._columns, settings)

    def _frame(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Check the shape and the names of X, and give it as a frame."""
        if not isinstance(X, pd.DataFrame):
            checked = check_array(X, dtype=None, ensure_all_finite=False, estimator=self)
            validate_data(self, X, skip_check_array=True, reset=reset)
            names = [f"x{place}" for place in range(checked.shape[1])]
            return pd.DataFrame(checked, columns=names).infer_objects()
        duplicates = X.columns[X.columns.duplicated()]
        if len(duplicates):
            raise DataError(f"X has {len(duplicates)} column name(s) twice, for example {some(duplicates)}: give each column one name.")
        if not len(X) or not len(X.columns):
            raise DataError(f"Found array with {X.shape[0]} sample(s) and {X.shape[1]} feature(s): X must hold rows and columns.")
        validate_data(self, X, skip_check_array=True, reset=reset)
        return X

    def _converted(self, X: Any) -> pd.DataFrame:
        check_is_fitted(self)
        return convert_columns(self._frame(X, reset=False), self._columns, self._bundle.vocabularies)


def _outcomes(y: ArrayLike, rows: int) -> tuple[NDArray[Any], NDArray[np.int8]]:
    """Give the two classes, and 1 for the second."""
    if y is None:
        raise ConfigError("requires y to be passed, but the target y is None")
    labels = column_or_1d(y, warn=True)
    if len(labels) != rows:
        raise DataError(f"X has {rows:,} rows and y {len(labels):,}: give the labels of the same rows.")
    missing = int(pd.isna(labels).sum())
    if missing:
        raise DataError(f"y contains NaN: {missing:,} of {rows:,} labels are missing. Leave out rows whose outcome is unknown.")
    check_classification_targets(labels)
    classes, codes = np.unique(labels, return_inverse=True)
    if classes.size != 2:
        told = f"y holds {classes.size} class(es) ({some(classes)}) in n_samples={rows}"
        if classes.size > 2:
            raise DataError(f"Only binary classification is supported. {told}; two are needed.")
        raise DataError(f"{told}; two are needed, those who left and those who stayed.")
    counts = np.bincount(codes)
    if counts.min() < 2:
        raise DataError(f"only one row has the label {classes[counts.argmin()]!r}; two of each class are needed to train and to stop.")
    return classes, codes.astype(np.int8)


def _customers(groups: ArrayLike | None, rows: int) -> NDArray[np.object_]:
    if groups is None:
        return np.arange(rows).astype(str).astype(object)
    customers = pd.Series(np.asarray(groups, dtype=object))
    if len(customers) != rows:
        raise DataError(f"X has {rows:,} rows and groups {len(customers):,}: give the customers of the same rows.")
    if missing := int(customers.isna().sum()):
        raise DataError(f"groups lacks the customer of {missing:,} row(s).")
    return customers.astype(str).to_numpy(dtype=object)


def _days(time: ArrayLike, rows: int) -> NDArray[np.datetime64]:
    days = np.asarray(time)
    if days.shape != (rows,):
        raise DataError(f"X has {rows:,} rows and time the shape {days.shape}: give the days of the same rows.")
    if np.issubdtype(days.dtype, np.number):
        raise DataError("time must hold days, not numbers.")
    try:
        found: NDArray[np.datetime64] = days.astype("datetime64[D]")
    except (TypeError, ValueError) as error:
        raise DataError(f"time must hold the day of each row: {error}.") from error
    if missing := int(np.isnat(found).sum()):
        raise DataError(f"time lacks the day of {missing:,} row(s).")
    return found
