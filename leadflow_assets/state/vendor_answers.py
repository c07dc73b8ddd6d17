"""The index of kept answers: which question was answered when, and where the body lies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from leadflow_assets.settings import Settings
from leadflow_assets.state import database
from leadflow_assets.state.models_spend import VendorAnswerRow

# Bound by SQLite's limit of variables in one statement.
_AT_ONCE = 400


@dataclass(frozen=True)
class IndexedAnswer:
    """One entry of the index. ``units`` is what the answer cost; ``outcome`` as in the answer itself."""

    endpoint: str
    identity: str
    request_id: str
    outcome: str
    units: int
    fetched_at: datetime
    archive_key: str


@dataclass(frozen=True)
class Freshness:
    """The oldest moments at which an answer, and one that is no property, may have been fetched."""

    positive_since: datetime
    negative_since: datetime


class VendorAnswers:
    """The kept answers of one vendor, for every user of the state database."""

    def __init__(self, settings: Settings, vendor: str) -> None:
        self._settings = settings
        self._vendor = vendor

    def put(self, answers: Sequence[IndexedAnswer]) -> None:
        """Index answers; an older one never replaces a newer."""
        with database.session(self._settings) as session:
            for answer in answers:
                self._put(session, answer)
            session.commit()

    def _put(self, session: Session, answer: IndexedAnswer) -> None:
        values = {"vendor": self._vendor, **vars(answer)}
        keys = ["vendor", "endpoint", "identity"]
        # The same statement in two dialects: SQLAlchemy has no common form of it.
        if session.get_bind().dialect.name == "postgresql":
            postgres = postgresql.insert(VendorAnswerRow).values(values)
            session.execute(
                postgres.on_conflict_do_update(
                    index_elements=keys,
                    set_={name: postgres.excluded[name] for name in values},
                    where=postgres.excluded.fetched_at >= VendorAnswerRow.fetched_at,
                )
            )
            return
        lite = sqlite.insert(VendorAnswerRow).values(values)
        session.execute(
            lite.on_conflict_do_update(
                index_elements=keys,
                set_={name: lite.excluded[name] for name in values},
                where=lite.excluded.fetched_at >= VendorAnswerRow.fetched_at,
            )
        )

    def find(
        self, questions: Iterable[tuple[str, str]], freshness: Freshness
    ) -> dict[tuple[str, str], IndexedAnswer]:
        """The fresh answers to some of the questions, each an endpoint and an identity."""
        asked, found = list(dict.fromkeys(questions)), {}
        fresh = or_(
            VendorAnswerRow.outcome.in_(("returned", "ambiguous"))
            & (VendorAnswerRow.fetched_at >= freshness.positive_since),
            VendorAnswerRow.outcome.not_in(("returned", "ambiguous"))
            & (VendorAnswerRow.fetched_at >= freshness.negative_since),
        )
        with database.session(self._settings) as session:
            for start in range(0, len(asked), _AT_ONCE):
                some = asked[start : start + _AT_ONCE]
                query = select(VendorAnswerRow).where(
                    VendorAnswerRow.vendor == self._vendor,
                    tuple_(VendorAnswerRow.endpoint, VendorAnswerRow.identity).in_(some),
                    fresh,
                )
                for row in session.scalars(query):
                    found[row.endpoint, row.identity] = _indexed(row)
        return found

    def drop_before(self, moment: datetime) -> list[str]:
        """Forget answers fetched before ``moment``; returns the archive keys that nothing names any more."""
        with database.session(self._settings) as session:
            mine = VendorAnswerRow.vendor == self._vendor
            old = select(VendorAnswerRow.archive_key).where(mine, VendorAnswerRow.fetched_at < moment)
            candidates = set(session.scalars(old))
            session.execute(delete(VendorAnswerRow).where(mine, VendorAnswerRow.fetched_at < moment))
            named = set(session.scalars(select(VendorAnswerRow.archive_key).where(mine)))
            session.commit()
        return sorted(candidates - named)

    def count_before(self, moment: datetime) -> int:
        """How many kept answers were fetched before ``moment``."""
        query = select(func.count(VendorAnswerRow.archive_key.distinct())).where(
            VendorAnswerRow.vendor == self._vendor, VendorAnswerRow.fetched_at < moment
        )
        with database.session(self._settings) as session:
            return int(session.scalar(query) or 0)


def _indexed(row: VendorAnswerRow) -> IndexedAnswer:
    return IndexedAnswer(
        row.endpoint,
        row.identity,
        row.request_id,
        row.outcome,
        row.units,
        row.fetched_at,
        row.archive_key,
    )
