"""Targeted look-ups: the owners of a parcel, or of a saved list, asked for by name at CourtListener."""
