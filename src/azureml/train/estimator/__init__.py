"""v1's package of estimators."""

from __future__ import annotations

from zaffre.sdk.distributed_training import (
    Gloo,
    Mpi,
    Nccl,
    ParameterServer,
)
from zaffre.sdk.estimator import (
    Estimator,
    MMLBaseEstimator,
    MMLBaseEstimatorRunConfig,
)
from zaffre.sdk.estimator import (
    FrameworkBaseEstimator as _FrameworkBaseEstimator,
)

__all__ = [
    "Estimator",
    "Gloo",
    "MMLBaseEstimator",
    "MMLBaseEstimatorRunConfig",
    "Mpi",
    "Nccl",
    "ParameterServer",
    "_FrameworkBaseEstimator",
]
