"""LeadFlow Assets: Massachusetts parcels as checked, versioned GeoParquet."""

__version__ = "0.6.0"
