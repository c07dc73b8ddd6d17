"""Drawings as numbers for SVG: nothing here writes markup."""
