"""The one resource of the code location: the settings, read when a run starts."""

import dagster as dg

from leadflow_assets.settings import Settings, load_settings


class LeadflowSettings(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings from the environment and files; ``overrides`` (no secrets: Dagster stores them) win."""

    overrides: dict[str, str] = {}  # noqa: RUF012  (a pydantic field: copied per instance)

    def load(self) -> Settings:
        """The effective settings now."""
        return load_settings(**self.overrides)
