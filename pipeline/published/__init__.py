"""The one room that reads the published file for people: terminal, site, briefing, workbook and gates ask here.

What a fact is (the typical district, the latest figure, a verdict) is defined once, in the SQL of the file's own tables and
views. This room turns their rows into types and words; it computes no fact of its own.
"""
