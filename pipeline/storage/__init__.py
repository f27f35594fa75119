"""The bucket that machines share (``IG_STORE_URL``): publishers' payloads, kept releases, and the published file.

A run works on its own disk as usual. The bucket holds the same files, so any machine can take over from any other::

    <prefix>/raw/<source>/payloads/<sha256>.<csv>                 as data/raw: payloads, then their sidecars
    <prefix>/raw/<source>/<indicator>/<part>.<...>.json
    <prefix>/releases/<version>/<table>.parquet, schema.sql       as data/marts/releases
    <prefix>/releases/<version>/release.json                      written last: a release without it does not count
    <prefix>/published/inclusive_growth-<version>.duckdb          the published file under a permanent name
    <prefix>/inclusive_growth.duckdb                              the newest of them under a fixed name
    <prefix>/latest.json                                          names the newest release: written last
    <prefix>/claims/<random>.json                                 the runs at work

Objects are written completely or not at all (S3 shows an object once its upload is complete). Apart from
``latest.json``, the file under the fixed name and claims, no object is ever rewritten with different content.
"""
