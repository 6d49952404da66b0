"""The extras: what each is for, and which module belongs to which."""

from __future__ import annotations

from towpath.errors import UsageError

EXTRAS = {
    "train": "train models and package them as ONNX",
    "lightgbm": "train and convert LightGBM models",
    "xgboost": "train and convert XGBoost models",
    "pandas": "give steps pandas or Arrow frames",
    "mlflow": "mirror runs and versions to MLflow",
    "plots": "draw pictures",
    "remote": "read data from buckets, and keep a team's store and ledger in one",
    "pandera": "judge data by pandera schemas",
    "postgres": "keep a team's ledger in PostgreSQL",
    "sql": "read data by queries",
    "search": "search hyperparameters",
    "ray": "execute steps on a Ray cluster",
}
EXTRA_OF = {
    "onnx": "train",
    "onnxmltools": "train",
    "skl2onnx": "train",
    "sklearn": "train",
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
    "pandas": "pandas",
    "pyarrow": "pandas",
    "mlflow": "mlflow",
    "altair": "plots",
    "vl_convert": "plots",
    "obstore": "remote",
    "psycopg": "postgres",
    "adbc_driver_manager": "sql",
    "adbc_driver_postgresql": "sql",
    "adbc_driver_sqlite": "sql",
    "pandera": "pandera",
    "optuna": "search",
    "ray": "ray",
}


class MissingExtra(UsageError):
    """What was asked needs a part that is not installed.

    >>> print(MissingExtra("sklearn", "train"))
    sklearn is not installed: it is needed to train models and package them as ONNX
      mend: pip install 'towpath[train]'
    """

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"{module} is not installed: it is needed to {EXTRAS[extra]}", mend=f"pip install 'towpath[{extra}]'")


def missing(fault: Exception) -> MissingExtra | None:
    """The extra that a failed import lacks; None for any other fault."""
    module = (fault.name or "").partition(".")[0] if isinstance(fault, ModuleNotFoundError) else ""
    if module not in EXTRA_OF:
        return None
    told = MissingExtra(module, EXTRA_OF[module])
    told.__cause__ = fault
    return told
