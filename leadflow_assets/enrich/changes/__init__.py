"""mart/property_changes, built town by town from releases, case matches and scores."""
