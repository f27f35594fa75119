"""Nomis (ONS, run by Durham University): data sets by area, period and measure."""
