"""Where delivered files arrive: a folder or an S3 prefix, which is only ever read."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from leadflow_assets.errors import (
    LeadflowError,
    NotConfiguredError,
    SourceUnavailableError,
    StoreError,
    UsageError,
)
from leadflow_assets.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SETTING = "LEADFLOW_ATTOM_DELIVERIES"
_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class InboxFile:
    """A file as it lies in the inbox. ``name`` is its path below the inbox, ``version`` what changes with it.

    ``touched`` is when it was last written as its own store tells, which nobody can set back.
    """

    name: str
    location: str
    size: int
    modified: datetime
    touched: datetime
    version: str

    @property
    def base(self) -> str:
        """The file name itself."""
        return self.name.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The folder below the inbox that it lies in."""
        return self.name.rpartition("/")[0]

    @property
    def mark(self) -> str:
        """Names this state of this file: place, size and time."""
        text = f"{self.location}\n{self.size}\n{self.modified.isoformat()}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class InboxPlace(Protocol):
    """A place to read delivered files from."""

    def files(self) -> list[InboxFile]:
        """All files below it, by name."""

    def open(self, file: InboxFile) -> BinaryIO:
        """The file's bytes, seekable.

        Raises:
            InboxChangedError: it is gone, or was changed since it was listed.
            StoreError: it may not be read. SourceUnavailableError: it cannot be reached.
        """


def open_place(settings: Settings) -> InboxPlace:
    """The inbox that the settings name.

    Raises:
        NotConfiguredError: they name none.
    """
    where = settings.leadflow_attom_deliveries
    if not where:
        raise NotConfiguredError("No place for delivered files is set.", f"Set {SETTING}.")
    if not where.startswith("s3://"):
        return FolderPlace(Path(where).expanduser().resolve())
    from leadflow_assets.lake.s3_store import s3_client

    return S3Place(where, s3_client(settings))


class InboxChangedError(SourceUnavailableError):
    """A file is not what it was when it was listed; once it rests it can be taken."""


def changed(file: InboxFile) -> InboxChangedError:
    """That error for a file."""
    return InboxChangedError(
        f"{file.base} changed while it was taken.", "It is taken once it has stayed the same for a minute."
    )


@dataclass(frozen=True)
class FolderPlace:
    """A folder, with all folders below it."""

    root: Path

    def files(self) -> list[InboxFile]:
        """See :class:`InboxPlace`.

        Raises:
            UsageError: there is no such folder. StoreError: it may not be read.
        """
        if not self.root.is_dir():
            raise UsageError(
                f"{self.root} is not a folder.", f"Create it for delivered files, or correct {SETTING}."
            )
        found = []
        try:
            for folder, _, names in os.walk(self.root, onerror=_unless_gone):
                found += [file for name in names if (file := self.file(Path(folder, name)))]
        except OSError as error:
            raise StoreError(
                f"{self.root} cannot be read ({error.strerror}).", "Give this user the right to read it."
            ) from error
        return sorted(found, key=lambda file: file.name)

    def file(self, path: Path) -> InboxFile | None:
        """One file as it is now; None where there is none."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        name = path.relative_to(self.root).as_posix()
        times = [datetime.fromtimestamp(seconds, UTC) for seconds in (found.st_mtime, found.st_ctime)]
        version = f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"
        return InboxFile(name, str(path), found.st_size, times[0], times[1], version)

    def open(self, file: InboxFile) -> BinaryIO:
        """See :class:`InboxPlace`."""
        path = Path(file.location)
        try:
            now = self.file(path)
            if now is None or now.version != file.version:
                raise changed(file)
            return path.open("rb")
        except OSError as error:
            raise StoreError(
                f"{path} cannot be read ({error.strerror}).", "Give this user the right to read it."
            ) from error


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


@dataclass(frozen=True)
class S3Place:
    """A bucket and prefix."""

    uri: str
    client: S3Client

    @property
    def _bucket(self) -> str:
        return self.uri.removeprefix("s3://").partition("/")[0]

    def files(self) -> list[InboxFile]:
        """See :class:`InboxPlace`.

        Raises:
            StoreError: the bucket is missing or refuses. SourceUnavailableError: it cannot be reached.
        """
        prefix = self.uri.removeprefix("s3://").partition("/")[2].strip("/")
        start = f"{prefix}/" if prefix else ""
        found = []
        with _in_words(self.uri):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=start)
            for page in pages:
                for item in page.get("Contents", []):
                    # A key that ends in a slash is how consoles show a folder.
                    if not item["Key"].endswith("/"):
                        when = item["LastModified"].astimezone(UTC)
                        place = f"s3://{self._bucket}/{item['Key']}"
                        name = item["Key"].removeprefix(start)
                        found.append(InboxFile(name, place, item["Size"], when, when, item["ETag"]))
        return sorted(found, key=lambda file: file.name)

    def open(self, file: InboxFile) -> BinaryIO:
        """See :class:`InboxPlace`; read in pieces, all of the version that was listed."""
        return io.BufferedReader(_S3Object(self.client, file), _AT_ONCE)


class _S3Object(io.RawIOBase):
    """An object read by ranges: a zip's list of members stands at its end."""

    def __init__(self, client: S3Client, file: InboxFile) -> None:
        self._client = client
        self._file = file
        self._at = 0
        self._bucket, _, self._key = file.location.removeprefix("s3://").partition("/")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))  # as a file does, which zips rely on
        self._at = base + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        end = min(self._at + len(buffer), self._file.size)
        if self._at >= end:
            return 0
        with _in_words(self._file.location, self._file):
            answer = self._client.get_object(
                Bucket=self._bucket,
                Key=self._key,
                Range=f"bytes={self._at}-{end - 1}",
                IfMatch=self._file.version,
            )
            data = answer["Body"].read()
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


@contextmanager
def _in_words(where: str, file: InboxFile | None = None) -> Iterator[None]:
    """What S3 refused, in plain words that name the setting."""
    # boto3 is only here where there is an S3 place.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if file is not None and code in ("PreconditionFailed", "412", "NoSuchKey", "404"):
            raise changed(file) from None
        raise _refused(code, where) from error
    except BotoCoreError as error:
        raise SourceUnavailableError(
            f"{where} cannot be reached ({type(error).__name__}).",
            f"Check the network, AWS_ENDPOINT_URL, the credentials and {SETTING}.",
        ) from error


def _refused(code: str, where: str) -> LeadflowError:
    if code == "NoSuchBucket":
        return StoreError(f"The bucket of {where} does not exist.", f"Create it, or correct {SETTING}.")
    if code in ("AccessDenied", "403", "AllAccessDisabled"):
        return StoreError(
            f"S3 does not allow to read {where}.",
            "The credentials need s3:ListBucket and s3:GetObject there.",
        )
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"):
        return StoreError(
            f"S3 refused the credentials for {where} ({code}).",
            "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    return StoreError(f"S3 could not read {where}: {code or 'unknown error'}.", "Run `leadflow doctor`.")
