"""The distress score: grouped, capped, aged points with coverage, an interval and reasons that add up."""
