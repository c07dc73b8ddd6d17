"""How far courts were asked, on both databases: days, months, lists of dockets, single questions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from leadflow_assets.settings import Settings
from leadflow_assets.state import court_progress, database
from leadflow_assets.state.court_progress import CourtProgress, Question
from leadflow_assets_tests.integration.test_state import postgres_url as postgres_url
from leadflow_assets_tests.integration.test_state import settings as databases

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
both_databases = databases


def test_days_become_stretches(both_databases: Settings) -> None:
    with database.session(both_databases) as session:
        assert court_progress.progress_of(session, "mab") == CourtProgress("mab")
        court_progress.mark_asked(session, "mab", date(2026, 10, 5), date(2026, 10, 9), NOON)
        court_progress.mark_asked(session, "mab", date(2026, 10, 1), date(2026, 10, 2), NOON)
        court_progress.mark_asked(session, "mab", date(2026, 10, 9), date(2026, 10, 10), NOON + DAY)
        court_progress.mark_asked(session, "mad", date(2026, 10, 3), date(2026, 10, 4), NOON)
        court_progress.mark_asked(session, "mab", date(2026, 10, 4), date(2026, 10, 3), NOON)
        session.commit()
    with database.session(both_databases) as session:
        mab, mad = court_progress.all_progress(session)
        days = court_progress.days_asked(session, "mab")
    assert mab.spans == ((date(2026, 10, 1), date(2026, 10, 2)), (date(2026, 10, 5), date(2026, 10, 10)))
    assert mab.covered == (date(2026, 10, 5), date(2026, 10, 10)) and mab.last_asked_at == NOON + DAY
    assert mad.covered == (date(2026, 10, 3), date(2026, 10, 4))
    assert days[date(2026, 10, 9)] == NOON + DAY and days[date(2026, 10, 5)] == NOON


def test_a_month_is_begun_once_and_anew_when_it_lay_too_long(both_databases: Settings) -> None:
    with database.session(both_databases) as session:
        assert court_progress.begin_month(session, "mab", "2026-10", NOON) == NOON
        session.commit()
    with database.session(both_databases) as session:
        assert court_progress.begin_month(session, "mab", "2026-10", NOON + DAY) == NOON
        assert court_progress.open_months(session) == [("mab", "2026-10")]
        later = NOON + 8 * DAY
        assert court_progress.begin_month(session, "mab", "2026-10", later) == later
        court_progress.end_month(session, "mab", "2026-10")
        assert court_progress.open_months(session) == []


def test_questions_are_remembered_by_docket_and_kind(both_databases: Settings) -> None:
    asked = [
        Question(3_000_000_000, "parties", "mab", NOON + DAY, 404),
        Question(3_000_000_000, "parties", "mab", NOON, 200),
        Question(3_000_000_000, "dockets", "mab", NOON, 200),
        Question(8, "parties", "mad", NOON, 200),
    ]
    with database.session(both_databases) as session:
        court_progress.note_questions(session, asked)
        court_progress.note_questions(session, [Question(8, "parties", "mad", NOON + DAY, 200)])
        court_progress.note_questions(session, [])
        session.commit()
    with database.session(both_databases) as session:
        assert court_progress.questions(session, "parties") == {3_000_000_000: NOON + DAY, 8: NOON + DAY}
        assert court_progress.questions(session, "search") == {}


def test_what_stopped_a_court_is_kept_until_it_goes_on(both_databases: Settings) -> None:
    with database.session(both_databases) as session:
        court_progress.change(session, "mab", resumes_at=NOON, stopped_by="CourtListenerBudgetError")
        court_progress.change(session, "mab", dockets_since=date(2026, 10, 1), dockets_below=3_000_000_000)
        session.commit()
    with database.session(both_databases) as session:
        found = court_progress.progress_of(session, "mab")
        assert (found.resumes_at, found.stopped_by) == (NOON, "CourtListenerBudgetError")
        assert (found.dockets_since, found.dockets_below) == (date(2026, 10, 1), 3_000_000_000)
        assert found.covered is None
