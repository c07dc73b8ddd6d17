"""From raw to mart, town by town, without Dagster: what the assets and the command line call."""
