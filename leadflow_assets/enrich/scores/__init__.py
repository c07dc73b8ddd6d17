"""Distress scores of the lake: mart/distress_scores town by town, and the explanation of a single one."""
