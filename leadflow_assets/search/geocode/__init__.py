"""From an address to a point, by the parcels themselves."""
