"""Decisions of people who sit side by side: each once, never over one that was not seen."""
