"""ATTOM: property facts for money, one property at a time over REST or by the file. No Dagster here."""
