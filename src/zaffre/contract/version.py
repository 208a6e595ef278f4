"""The versions that Zaffre's parts tell each other."""

from __future__ import annotations

ZAFFRE_VERSION = "0.1.0"

#: What `azureml.core.VERSION` says: the release of SDK v1 whose surface Zaffre offers.
SDK_V1_VERSION = "1.61.0"
