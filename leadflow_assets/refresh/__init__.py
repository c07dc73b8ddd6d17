"""Bringing towns up to date: which need work, doing it in worker processes, publishing what came out."""
