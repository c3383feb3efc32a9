"""A night is staged, checked, renamed, announced by its manifest; readers see the announced and nothing else."""

from custvalue.publish.digests import digest_files, file_digest, run_id
from custvalue.publish.locks import lock
from custvalue.publish.manifests import Published, verify_files
from custvalue.publish.nights import find_published, publish, record_refusal, stage
from custvalue.publish.reading import Night, nights, published, read_published

__all__ = [
    "Night",
    "Published",
    "digest_files",
    "file_digest",
    "find_published",
    "lock",
    "nights",
    "publish",
    "published",
    "read_published",
    "record_refusal",
    "run_id",
    "stage",
    "verify_files",
]
