"""Dagster's SQLite event log, without its two costs that grow with the number of towns.

Dagster's own class makes a new SQLAlchemy engine for every connection, so that every statement is compiled
anew (four fifths of the time of an event), and it commits every event of a batch by itself. A statewide run
has some 8,000 events. Files and tables are Dagster's own: either class reads what the other wrote.

Overrides one private method of Dagster, which is pinned to an exact version; a test runs both classes.
"""

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

from dagster import DagsterEventType, EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import Connection, Engine, create_engine, func, select
from sqlalchemy.pool import StaticPool

# One database per run, and one for all: a process meets few at a time.
_MOST_ENGINES = 16
_PLANNED = frozenset({DagsterEventType.ASSET_MATERIALIZATION_PLANNED})
# Planned events come in thousands; Dagster hands them over in batches of this size if told to.
os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")


class FastSqliteEventLogStorage(SqliteEventLogStorage):
    """Keeps its connections, and writes a batch of events in one transaction per database."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._batch = threading.local()
        self._index_columns: bool | None = None
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "FastSqliteEventLogStorage":
        """Made from dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What this thread stores in the block goes into one transaction per database."""
        with self._db_lock, contextlib.ExitStack() as transactions:
            self._batch.connections, self._batch.transactions = {}, transactions
            try:
                yield
            finally:
                del self._batch.connections, self._batch.transactions

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events in one transaction per database."""
        with self.together():
            if all(event.dagster_event_type in _PLANNED for event in events):
                self._store_planned(events)
            else:
                for event in events:
                    self.store_event(event)

    def _store_planned(self, events: Sequence[EventLogEntry]) -> None:
        """Insert thousands of events of one run at once; an asset's own row needs only its last one."""
        rows = [self._event_to_row(event) for event in events]
        last = {event.get_dagster_event().asset_key: event for event in events}
        with self.run_connection(events[0].run_id) as connection:
            connection.execute(SqlEventLogStorageTable.insert(), rows)
        with self.index_connection() as connection:
            connection.execute(SqlEventLogStorageTable.insert(), rows)
            newest = connection.execute(select(func.max(SqlEventLogStorageTable.c.id))).scalar_one()
            for event in last.values():
                self._store_asset_event(connection, event, newest)

    def _has_asset_key_index_cols_on_connection(self, conn: Connection) -> bool:
        # Asked for every event; the answer does not change while a process runs.
        if self._index_columns is None:
            self._index_columns = super()._has_asset_key_index_cols_on_connection(conn)
        return self._index_columns

    def dispose(self) -> None:
        """Close the connections."""
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()
        super().dispose()

    @contextlib.contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        held = getattr(self._batch, "connections", None)
        if held is None:
            with self._db_lock, self._engine(shard).begin() as connection:
                yield connection
            return
        if shard not in held:
            held[shard] = self._batch.transactions.enter_context(self._engine(shard).begin())
        yield held[shard]

    def _engine(self, shard: str) -> Engine:
        """The engine of a database, made and initialized at its first use; called with the lock held."""
        engine = self._engines.get(shard)
        if engine is None or not os.path.exists(self.path_for_shard(shard)):  # noqa: PTH110  (Dagster's str)
            engine = create_engine(
                self.conn_string_for_shard(shard),
                # One connection per database, used by one thread at a time: every use holds the lock.
                poolclass=StaticPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            self._initdb(engine)
            self._initialized_dbs.add(shard)
            self._engines[shard] = engine
        self._engines.move_to_end(shard)
        while len(self._engines) > _MOST_ENGINES:
            self._engines.popitem(last=False)[1].dispose()
        return engine
