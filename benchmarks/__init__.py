"""Speed, as ratios against a peer measured in the same run. Run: ``python -m benchmarks.one_town``."""
