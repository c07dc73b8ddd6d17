"""ATTOM batches: a list of properties asked, watched, landed and published, with every cent accounted for."""
