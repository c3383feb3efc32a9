"""A night is staged, checked, renamed, announced by its manifest; readers see the announced and nothing else."""

from custvalue.publish.digests import digest_files, file_digest, run_id
from custvalue.publish.durable import full_disk_can_wait
from custvalue.publish.locks import lock
from custvalue.publish.manifests import Published, verify_files
from custvalue.publish.nights import find_published, publish, record_refusal, stage, tidy
from custvalue.publish.reading import Night, nights, published, read_published
from custvalue.publish.shards import Work

__all__ = [
    "Night",
    "Published",
    "Work",
    "digest_files",
    "file_digest",
    "find_published",
    "full_disk_can_wait",
    "lock",
    "nights",
    "publish",
    "published",
    "read_published",
    "record_refusal",
    "run_id",
    "stage",
    "tidy",
    "verify_files",
]
