"""Running the page: where it may listen, and with what."""

from __future__ import annotations

import ipaddress

import uvicorn

from leadflow_assets.errors import NotConfiguredError
from leadflow_assets.settings import Settings
from leadflow_assets.state import database, web_users


def check_bind(settings: Settings, host: str) -> list[str]:
    """What a person must know about listening there.

    Raises:
        NotConfiguredError: other machines could reach it, and nobody would have to log in; or half of
            the TLS settings is missing.
    """
    certificate, key = settings.leadflow_web_certificate, settings.leadflow_web_certificate_key
    if (certificate is None) != (key is None):
        raise NotConfiguredError(
            "Only one of the two TLS files is set.",
            "Set LEADFLOW_WEB_CERTIFICATE and LEADFLOW_WEB_CERTIFICATE_KEY, or neither.",
        )
    for path in (certificate, key):
        if path is not None and not path.is_file():
            raise NotConfiguredError(f"There is no file {path}.", "It is named in the LEADFLOW_WEB settings.")
    with database.session(settings) as session:
        users = web_users.names(session)
    if is_this_machine(host):
        return []
    if not users:
        raise NotConfiguredError(
            f"{host} can be reached by other machines, and nobody would have to log in.",
            "Add somebody with `leadflow web add-user NAME`, or listen on 127.0.0.1.",
        )
    if certificate is None:
        return [
            "Passwords and owners' names cross the network unencrypted: set LEADFLOW_WEB_CERTIFICATE, or "
            "have a proxy on this machine speak https."
        ]
    return []


def is_this_machine(host: str) -> bool:
    """Can only this machine reach a server that listens there?"""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve the page until the process is told to end."""
    from leadflow_assets.web.app import build_app

    certificate, key = settings.leadflow_web_certificate, settings.leadflow_web_certificate_key
    config = uvicorn.Config(
        build_app(settings),
        host=host,
        port=port,
        log_level="warning",
        # Addresses of pages hold what people look for.
        access_log=False,
        server_header=False,
        ssl_certfile=str(certificate) if certificate else None,
        ssl_keyfile=str(key) if key else None,
    )
    uvicorn.Server(config).run()
