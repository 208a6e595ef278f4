"""v1 documents assigning to this variable as the way to allow larger snapshots."""

from __future__ import annotations

#: Bytes; equal to contract.snapshot's, whose import would cost more than the number.
SNAPSHOT_MAX_SIZE_BYTES = 300 * 1024 * 1024
