"""Purging: sealed, expunged and opted-out cases and people leave every place, and stay out."""
