"""MassGIS: the table of links, the download of packages, and their checks before GDAL sees them."""
