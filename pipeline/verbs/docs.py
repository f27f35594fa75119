"""`python -m pipeline docs`."""

from __future__ import annotations

import argparse

from pipeline.errors import EXIT_OK
from pipeline.verbs.common import Verbs, add_verb

ABOUT = """Renew the generated parts of the documents from the declaration of the tables and the published file.

These are the data dictionary (docs/data-dictionary.md and .html), docs/questions.md, the profile and the list of tables
in README.md, and the answers below queries in docs/. Run it after figures, scores or tables have changed; a test fails
while a document is out of date. Use it on a file made by `refresh --offline`, so that everybody gets the same answers.
"""


def add_to(verbs: Verbs) -> None:
    add_verb(verbs, "docs", "renew the generated parts of README.md and docs/", ABOUT, run)


def run(arguments: argparse.Namespace) -> int:
    from pipeline.catalogue import load_catalogue
    from pipeline.dictionary import html_dictionary, markdown_dictionary
    from pipeline.documents import EXAMPLE_AREA, readme_with_blocks, renew, with_answers
    from pipeline.geography import load_register
    from pipeline.marts.build import dictionary_rows
    from pipeline.marts.declaration import declared_tables
    from pipeline.published.profile import profile_text
    from pipeline.questions import questions, questions_page
    from pipeline.reading import run_query
    from pipeline.settings import PROJECT_ROOT, settings_from_environment

    database = settings_from_environment().database
    indicators = load_catalogue().indicators
    docs, readme = PROJECT_ROOT / "docs", PROJECT_ROOT / "README.md"
    tables = declared_tables(indicators)

    def answered(text: str) -> str:
        return with_answers(text, lambda sql: run_query(database, sql))

    profile = profile_text(database, load_register().find(EXAMPLE_AREA).code)
    texts = {
        docs / "data-dictionary.md": markdown_dictionary(indicators),
        docs / "data-dictionary.html": html_dictionary(dictionary_rows(tables.values()).to_pylist()),
        docs / "questions.md": answered(questions_page(questions())),
        readme: readme_with_blocks(readme.read_text(encoding="utf-8"), profile, tables),
    }
    for path in sorted(docs.glob("*.md")):
        texts.setdefault(path, answered(path.read_text(encoding="utf-8")))
    for path, text in texts.items():
        changed = renew(path, text)
        print(f"{path.relative_to(PROJECT_ROOT)}: {'renewed' if changed else 'up to date'}")
    return EXIT_OK
