"""Past releases: each published file is kept as Parquet and can be listed, read again and rebuilt.

A kept release is a folder ``releases/<version>/`` beside the live file. It holds ``release.json`` (a description, with
size and SHA-256 of each file), ``schema.sql`` (types, tables with keys, views, comments) and a Parquet file for each
table. Tables that did not change since the previous release share one file on disk.
"""

from pipeline.releases.as_of import database_as_of
from pipeline.releases.manifest import Release, ReleaseProblem
from pipeline.releases.release_folder import ReleaseStore

__all__ = ["Release", "ReleaseProblem", "ReleaseStore", "database_as_of"]
