"""Dagster assets, one module per group. Thin: what they call runs and is tested without Dagster."""
