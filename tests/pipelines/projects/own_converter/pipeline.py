"""A step of one's own, with a converter of one's own: the other way on."""

import numpy as np
import polars as pl
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder


class Damped(TransformerMixin, BaseEstimator):
    """The logarithm of a number and one."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.log1p(X)


def _shape(operator) -> None:
    operator.outputs[0].type = FloatTensorType([None, operator.raw_operator.n_features_in_])


def _convert(scope, operator, container) -> None:
    one, more = scope.get_unique_variable_name("one"), scope.get_unique_variable_name("more")
    container.add_initializer(one, 1, [1], [1.0])
    container.add_node("Add", [operator.inputs[0].full_name, one], [more], name=scope.get_unique_operator_name("Add"))
    container.add_node("Log", [more], [operator.outputs[0].full_name], name=scope.get_unique_operator_name("Log"))


update_registered_converter(Damped, "ProjectDamped", _shape, _convert)


def rows(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("carrier", "city", "weight", "items", "express", "late")


def model(train: pl.DataFrame) -> Pipeline:
    prepared = ColumnTransformer(
        [
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["carrier", "city"]),
            ("numbers", make_pipeline(SimpleImputer(), Damped()), ["weight", "items", "express"]),
        ]
    )
    return make_pipeline(prepared, LogisticRegression()).fit(train.drop("late"), train["late"])
