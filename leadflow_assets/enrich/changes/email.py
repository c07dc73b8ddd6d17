"""E-mail over SMTP: the standard library's client, one message for all configured recipients."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from pydantic import SecretStr

from leadflow_assets.enrich.changes.messages import Letter
from leadflow_assets.errors import NotConfiguredError, SourceAnswerError, SourceUnavailableError
from leadflow_assets.settings import Settings

_SECONDS = 30.0
Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True)
class EmailSettings:
    """Where e-mail goes out, from whom and to whom. ``owners``: may names of owners be in it?"""

    host: str
    sender: str
    recipients: tuple[str, ...]
    port: int = 587
    security: Security = "starttls"
    user: str = ""
    password: SecretStr | None = None
    owners: bool = False


def email_settings(settings: Settings) -> EmailSettings | None:
    """The effective e-mail settings; None where no server is named.

    Raises:
        NotConfiguredError: a server is named without a sender or recipients, a user without a password.
    """
    if not settings.leadflow_smtp_host:
        return None
    named = settings.leadflow_alert_email_to
    if not settings.leadflow_alert_email_from or not named:
        raise NotConfiguredError(
            "E-mail has a server, and no sender or nobody to go to.",
            "Set LEADFLOW_ALERT_EMAIL_FROM and LEADFLOW_ALERT_EMAIL_TO.",
        )
    if settings.leadflow_smtp_user and settings.leadflow_smtp_password is None:
        raise NotConfiguredError("E-mail has a user without a password.", "Set LEADFLOW_SMTP_PASSWORD.")
    return EmailSettings(
        host=settings.leadflow_smtp_host,
        sender=settings.leadflow_alert_email_from,
        recipients=tuple(named.split(",")),
        port=settings.leadflow_smtp_port,
        security=settings.leadflow_smtp_security,
        user=settings.leadflow_smtp_user,
        password=settings.leadflow_smtp_password,
        owners=settings.leadflow_alert_email_owners,
    )


def compose(settings: EmailSettings, letter: Letter, key: str, now: datetime) -> EmailMessage:
    """The e-mail with its headers. The key is its Message-ID: a second copy is known as one."""
    message = EmailMessage()
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(now.astimezone(UTC))
    message["Message-ID"] = f"<{key}@leadflow.invalid>"
    message["Idempotency-Key"] = key
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.body)
    return message


def send_email(settings: EmailSettings, message: EmailMessage) -> None:
    """Hand the e-mail to the server.

    Raises:
        SourceUnavailableError: the server does not answer, or says to come again.
        SourceAnswerError: it refuses the login, the sender or every recipient.
    """
    try:
        with _connected(settings) as server:
            refused = server.send_message(message, settings.sender, list(settings.recipients))
    except smtplib.SMTPResponseException as error:
        passing = 400 <= error.smtp_code < 500
        kind = SourceUnavailableError if passing else SourceAnswerError
        raise kind(f"The mail server answered {error.smtp_code}.", _HINT) from None
    except smtplib.SMTPRecipientsRefused:
        raise SourceAnswerError("The mail server refuses every recipient.", _HINT) from None
    except (smtplib.SMTPException, OSError) as error:
        # The texts of these may hold addresses.
        raise SourceUnavailableError(
            f"The mail server cannot be used: {type(error).__name__}.", _HINT
        ) from None
    if refused:
        raise SourceAnswerError(f"The mail server refuses {len(refused)} of the recipients.", _HINT)


_HINT = "Check LEADFLOW_SMTP_HOST, _PORT, _SECURITY, _USER and _PASSWORD, and the addresses."


def _connected(settings: EmailSettings) -> smtplib.SMTP:
    make: Callable[..., smtplib.SMTP] = smtplib.SMTP
    context = ssl.create_default_context()
    options: dict[str, object] = {"timeout": _SECONDS}
    if settings.security == "tls":
        make, options = smtplib.SMTP_SSL, {**options, "context": context}
    server = make(settings.host, settings.port, **options)
    try:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.user:
            server.login(settings.user, settings.password.get_secret_value() if settings.password else "")
    except BaseException:
        server.close()
        raise
    return server
