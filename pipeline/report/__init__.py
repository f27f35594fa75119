"""The report site: pages that open from disk or any web host, built from the published file alone."""
