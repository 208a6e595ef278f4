"""Internal to v1."""
