"""Reads the published file for people. The terminal, site, briefing, workbook and gates all go through this package.

The SQL of the file's own tables and views defines each fact once: the typical district, the latest figure, a verdict.
This package turns their rows into types and words. It computes no facts of its own.
"""
