"""The bucket that machines share (``IG_STORE_URL``): what publishers sent, kept releases, and the published file.

A run works on its own disk as ever, and the bucket holds the same, so that any machine can take over from any other::

    <prefix>/raw/<source>/payloads/<sha256>.<csv>                 as data/raw: payloads, then the sidecars that speak of them
    <prefix>/raw/<source>/<indicator>/<part>.<...>.json
    <prefix>/releases/<version>/<table>.parquet, schema.sql       as data/marts/releases
    <prefix>/releases/<version>/release.json                      written after the rest: a release without it is none
    <prefix>/published/inclusive_growth-<version>.duckdb          the published file under a name that never changes its content
    <prefix>/inclusive_growth.duckdb                              the newest of them under one name
    <prefix>/latest.json                                          which release is the newest: written last
    <prefix>/claims/<random>.json                                 who is at work

Objects are written whole or not at all (S3 shows an object once its upload is complete). Apart from ``latest.json``, the
file under the one name and claims, none is ever written again with another content.
"""
