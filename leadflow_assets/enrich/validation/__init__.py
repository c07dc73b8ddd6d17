"""Does the score order properties? Point-in-time history, labels kept apart, and figures with their error."""
