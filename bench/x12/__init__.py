"""X12 readers and writers: ours, the floors under them, and those of the registries, in one table."""
