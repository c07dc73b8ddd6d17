"""Keeping secrets out of logs: Dagster redacts nothing by itself.

Covers every log record of the process, Dagster's event log included. Metadata and exception texts are not
log records; errors of this program never hold secrets (see :mod:`leadflow_assets.errors`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

MASK = "***"


def install_redaction(secrets: Sequence[str]) -> None:
    """Replace each secret (longest first) by ``***`` in every log record made from now on."""
    if not secrets:
        return
    make_record = logging.getLogRecordFactory()

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            for secret in secrets:
                value = value.replace(secret, MASK)
        return value

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        record.msg = clean(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(clean, record.args))
        elif isinstance(record.args, Mapping):
            record.args = {key: clean(value) for key, value in record.args.items()}
        return record

    logging.setLogRecordFactory(factory)
