"""Searching the lake: criteria, the search engine, saved lists and exports."""
