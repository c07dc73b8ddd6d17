"""The schemas of all tables, one module per layer. Checks, Dagster's columns and docs come from here."""
