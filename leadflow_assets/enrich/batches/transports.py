"""The transports by name. Each is imported when it is asked for: most commands meet only one."""

from __future__ import annotations

from leadflow_assets.enrich.batches.transport import Transport
from leadflow_assets.errors import UsageError
from leadflow_assets.lake.lake import Lake
from leadflow_assets.settings import Settings
from leadflow_assets.state.models_batches import BATCH_TRANSPORTS


def transport(settings: Settings, lake: Lake, name: str) -> Transport:
    """One transport: ``rest``, ``files`` or ``endpoint``.

    Raises:
        UsageError: there is no such transport.
    """
    if name == "rest":
        from leadflow_assets.enrich.batches.fan_out import RestTransport

        return RestTransport(settings, lake)
    if name == "files":
        from leadflow_assets.enrich.batches.delivered import FilesTransport

        return FilesTransport(settings, lake)
    if name == "endpoint":
        from leadflow_assets.enrich.batches.batch_endpoint import EndpointTransport

        return EndpointTransport(settings, lake)
    raise UsageError(f"There is no transport {name!r}.", "Known: " + ", ".join(BATCH_TRANSPORTS) + ".")


def transports(settings: Settings, lake: Lake) -> dict[str, Transport]:
    """All of them by name."""
    return {name: transport(settings, lake, name) for name in BATCH_TRANSPORTS}
