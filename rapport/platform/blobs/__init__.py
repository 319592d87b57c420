"""Files, encrypted at rest: on disk, or in an S3-compatible store."""
