"""The lake on S3: one PUT or COPY is atomic, ``If-None-Match: *`` makes a PUT create-only."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from leadflow_assets.errors import StoreError
from leadflow_assets.lake.store import raise_for_disk

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

    from leadflow_assets.settings import Settings

_CONFLICTS = 6
_AT_ONCE = 1 << 20


def s3_client(settings: Settings) -> S3Client:
    """A boto3 client from the settings; without keys the usual AWS credential chain applies."""
    secret = settings.aws_secret_access_key
    return boto3.client(
        "s3",
        region_name=settings.aws_s3_region_name,
        endpoint_url=settings.aws_endpoint_url or None,
        aws_access_key_id=settings.aws_access_key_id or None,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=Config(
            connect_timeout=10,
            read_timeout=60,
            retries={"mode": "standard", "max_attempts": 4},
            s3={"addressing_style": "path" if settings.aws_endpoint_url else "auto"},
        ),
    )


@dataclass(frozen=True)
class S3Store:
    """A bucket and prefix. One PUT or COPY is atomic; ``If-None-Match: *`` makes a PUT create-only."""

    uri: str
    client: S3Client

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.uri.removeprefix("s3://").partition("/")[0]

    @property
    def prefix(self) -> str:
        """What stands before every key, without slashes at the ends."""
        return self.uri.removeprefix("s3://").partition("/")[2].strip("/")

    def put_new(self, key: str, source: Path | bytes) -> bool:
        """See :class:`Store`. The content's size and time travel with a later copy as metadata."""
        with self._naming_the_bucket("write", key):
            for attempt in range(_CONFLICTS):
                try:
                    if isinstance(source, bytes):
                        self._put(key, source)
                    else:
                        with source.open("rb") as body:
                            self._put(key, body)
                    break
                except ClientError as error:
                    if _status(error) == 412:
                        return False
                    # 409: another writer is at the same key and may yet fail; only 412 says that it is there.
                    if _status(error) != 409 or attempt == _CONFLICTS - 1:
                        raise
                    time.sleep(0.1 * 2**attempt)
        return True

    def _put(self, key: str, body: object) -> None:
        self.client.put_object(
            Bucket=self.bucket,
            Key=self._key(key),
            Body=body,  # type: ignore[arg-type]
            IfNoneMatch="*",
            Metadata={"leadflow-source": key},
        )

    def copy_over(self, source_key: str, key: str) -> None:
        """See :class:`Store`; a server-side copy."""
        with self._naming_the_bucket("write", key):
            self.client.copy_object(
                Bucket=self.bucket,
                Key=self._key(key),
                CopySource={"Bucket": self.bucket, "Key": self._key(source_key)},
            )

    def same(self, source_key: str, key: str) -> bool:
        """See :class:`Store`: the copy carries the name of the immutable object it was made from."""
        try:
            return self._head(key)["Metadata"].get("leadflow-source") == source_key
        except FileNotFoundError:
            return False

    def read(self, key: str) -> bytes:
        """See :class:`Store`."""
        with self._naming_the_bucket("read", key):
            return self._body(key).read()

    def _body(self, key: str) -> StreamingBody:
        try:
            return self.client.get_object(Bucket=self.bucket, Key=self._key(key))["Body"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                raise FileNotFoundError(self.location(key)) from None
            raise

    def exists(self, key: str) -> bool:
        """See :class:`Store`."""
        try:
            self._head(key)
        except FileNotFoundError:
            return False
        return True

    def _head(self, key: str) -> HeadObjectOutputTypeDef:
        with self._naming_the_bucket("read", key):
            try:
                return self.client.head_object(Bucket=self.bucket, Key=self._key(key))
            except ClientError as error:
                if _status(error) == 404:
                    raise FileNotFoundError(self.location(key)) from None
                raise

    def list(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """See :class:`Store`."""
        start = len(self._key(""))
        with self._naming_the_bucket("list", prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self._key(prefix), StartAfter=self._key(after) if after else ""
            )
            for page in pages:
                for item in page.get("Contents", []):
                    yield item["Key"][start:]

    def modified(self, key: str) -> datetime:
        """See :class:`Store`."""
        return self._head(key)["LastModified"]

    def size(self, key: str) -> int:
        """See :class:`Store`."""
        return self._head(key)["ContentLength"]

    def delete(self, key: str) -> None:
        """See :class:`Store`."""
        with self._naming_the_bucket("delete", key):
            self.client.delete_object(Bucket=self.bucket, Key=self._key(key))

    def location(self, key: str) -> str:
        """See :class:`Store`."""
        return f"s3://{self.bucket}/{self._key(key)}"

    def fetch(self, key: str, folder: Path) -> Path:
        """See :class:`Store`; downloaded into ``folder``, some at a time."""
        target = folder / key.replace("/", "__")
        with self._naming_the_bucket("read", key):
            body = self._body(key)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    shutil.copyfileobj(body, file, _AT_ONCE)
            except OSError as error:
                raise_for_disk(error, folder)
        return target

    def _key(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    @contextlib.contextmanager
    def _naming_the_bucket(self, action: str, key: str) -> Iterator[None]:
        """Say in plain words what S3 refused: which bucket, which right, which setting."""
        try:
            yield
        except ClientError as error:
            raise _explained(error, action, self.location(key), self.bucket) from error
        except BotoCoreError as error:
            raise StoreError(
                f"Cannot {action} {self.location(key)}: {type(error).__name__}.",
                "Check the network, AWS_ENDPOINT_URL and the credentials; run `leadflow doctor`.",
            ) from error


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _explained(error: ClientError, action: str, where: str, bucket: str) -> StoreError:
    code = error.response.get("Error", {}).get("Code", "")
    if code == "NoSuchBucket" or (code == "404" and action == "list"):
        return StoreError(
            f"The bucket {bucket} does not exist.",
            "Create it, or correct LEADFLOW_LAKE / AWS_STORAGE_BUCKET_NAME.",
        )
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"):
        return StoreError(
            f"S3 refused the credentials for the bucket {bucket} ({code}).",
            "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    if code in ("AccessDenied", "403", "AllAccessDisabled"):
        return StoreError(
            f"S3 does not allow to {action} {where}.",
            "The credentials need s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket there.",
        )
    return StoreError(f"S3 could not {action} {where}: {code or 'unknown error'}.", "Run `leadflow doctor`.")
