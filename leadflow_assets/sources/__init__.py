"""The outside world: one module or package per source. Nothing here knows Dagster or the lake."""
