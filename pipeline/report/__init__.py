"""The report site: pages that open from disk or any web host, made from the published file and nothing else."""
