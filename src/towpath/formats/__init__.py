"""Formats: the package of a version, which is made after training and which a server loads.

Exported here is what loads neither ONNX, scikit-learn nor Polars. Those are in modules of their own: ``frames``, ``onnx_export``,
``scorer``, ``trained``, ``package``, ``build``, ``golden``, ``parity``.
"""

from towpath.formats.errors import BadColumn, NotConvertible
from towpath.formats.manifest import FeaturesFunction, Manifest
from towpath.formats.port import Label, Scorer, Scores
from towpath.formats.schema import Column, Schema, check_columns

__all__ = ["BadColumn", "Column", "FeaturesFunction", "Label", "Manifest", "NotConvertible", "Schema", "Scorer", "Scores", "check_columns"]
