"""The steps of a refresh, each a plain function: what the Prefect flow arranges and what `python -m pipeline refresh` calls."""
