"""Alembic's entry point. The connection comes from ``state.database.migrate``, inside its transaction."""

from alembic import context

from leadflow_assets.state import (
    models_batches,  # noqa: F401  (their tables belong to the metadata)
    models_calls,  # noqa: F401
    models_case_reviews,  # noqa: F401
    models_case_searches,  # noqa: F401
    models_changes,  # noqa: F401
    models_court_progress,  # noqa: F401
    models_leads,  # noqa: F401
    models_purges,  # noqa: F401
    models_reviews,  # noqa: F401
    models_spend,  # noqa: F401
    models_web,  # noqa: F401
)
from leadflow_assets.state.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot alter a table in place; Alembic then copies it.
    render_as_batch=True,
)
context.run_migrations()
