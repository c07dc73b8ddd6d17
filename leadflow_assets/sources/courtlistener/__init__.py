"""CourtListener (Free Law Project): federal dockets over REST v4, few calls a day. No Dagster here."""
