"""v1's package of estimators for deep learning."""

from __future__ import annotations

from zaffre.sdk.distributed_training import (
    Gloo,
    Mpi,
    Nccl,
    ParameterServer,
)
from zaffre.sdk.dnn import Chainer, PyTorch, TensorFlow

__all__ = ["Chainer", "Gloo", "Mpi", "Nccl", "ParameterServer", "PyTorch", "TensorFlow"]
