"""The command line, ``leadflow``. Light at import: help must not wait for Dagster, DuckDB or pandas."""

from leadflow_assets.cli.app import main

__all__ = ["main"]
