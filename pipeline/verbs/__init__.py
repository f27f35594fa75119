"""One module a verb: its help, and what it runs. Heavy libraries are imported inside `run`, so help is instant."""
