"""Scores of a whole state at once: the rules of ``domain.distress`` on arrays, made from the same table."""
