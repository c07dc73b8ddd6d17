"""Partition definitions shared by assets, checks, jobs, schedules and sensors.

Keys are permanent: Dagster can neither rename nor remove one. Towns stand in the order of their ids, so
that neighbours in the list form the ranges that one run covers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import dagster as dg

from leadflow_assets.domain.towns import Town, find_town, towns

# One partition per ATTOM batch, added when a batch is submitted or a file is delivered.
attom_batches = dg.DynamicPartitionsDefinition(name="attom_batches")
# ``mab|2026-10``: a court and month filed, added when a docket of it is seen. Dynamic, since dockets without
# a day have no month, and imported cases may be of any year and court.
court_months = dg.DynamicPartitionsDefinition(name="court_months")


def town_partitions(*, demo: bool) -> dg.StaticPartitionsDefinition:
    """The 351 towns, ``001-abington`` to ``351-yarmouth``, and Sampleton when the demo is on."""
    return dg.StaticPartitionsDefinition([town.key for town in towns(demo=demo)])


def towns_of(keys: Iterable[str]) -> list[Town]:
    """The towns behind partition keys."""
    return [find_town(key) for key in keys]


def court_partition_key(partition: str) -> str:
    """The partition ``court=mab/filed_month=2026-10`` of the lake is ``mab|2026-10`` here."""
    return "|".join(part.partition("=")[2] for part in partition.split("/"))


def court_month_of(key: str) -> tuple[str, str]:
    """Court and month filed behind a partition key."""
    court, _, month = key.partition("|")
    return court, month


def ranges(wanted: Iterable[Town], *, demo: bool) -> Iterator[tuple[Town, Town]]:
    """First and last town of each stretch of towns that stand next to each other in the list.

    One run covers one stretch: Dagster's ranges cannot skip.
    """
    order: Sequence[Town] = towns(demo=demo)
    position = {town.town_id: index for index, town in enumerate(order)}
    indices = sorted({position[town.town_id] for town in wanted})
    start = previous = None
    for index in indices:
        if previous is None or start is None:
            start = index
        elif index != previous + 1:
            yield order[start], order[previous]
            start = index
        previous = index
    if start is not None and previous is not None:
        yield order[start], order[previous]
