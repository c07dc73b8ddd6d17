"""Leads of the lake: mart/leads made from scores, additions and suppression; listed, changed, exported."""
