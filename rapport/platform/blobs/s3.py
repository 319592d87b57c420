"""Files in an S3-compatible store. They are sealed before they leave us."""

from __future__ import annotations

from typing import Any

from .raw import BlobMissing


class S3Store:
    """One bucket. Credentials come from where boto3 looks for them."""

    def __init__(self, *, bucket: str, endpoint: str = "", region: str = "") -> None:
        import boto3  # heavy, and most installations keep files on disk
        from botocore.config import Config

        self.bucket = bucket
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint or None,
            region_name=region or None,
            config=Config(connect_timeout=2, read_timeout=20, retries={"max_attempts": 3}),
        )

    def write(self, key: str, data: bytes) -> None:
        """Store; S3 answers after it is durable."""
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def read(self, key: str) -> bytes:
        """Return the bytes. :raises BlobMissing: there are none"""
        try:
            return bytes(self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        except self.client.exceptions.NoSuchKey as error:
            raise BlobMissing(key) from error

    def exists(self, key: str) -> bool:
        """Whether there is such a file. Raises what boto3 raises when the store cannot say."""
        from botocore.exceptions import ClientError

        try:
            self.client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return True

    def delete(self, key: str) -> None:
        """Remove; nothing happens when it is not there."""
        self.client.delete_object(Bucket=self.bucket, Key=key)

    def keys(self) -> list[str]:
        """Return every name."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return sorted(entry["Key"] for page in pages for entry in page.get("Contents", ()))
