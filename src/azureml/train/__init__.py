"""v1's package of training."""
