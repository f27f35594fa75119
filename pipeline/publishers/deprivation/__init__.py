"""The four nations' indices of deprivation, as files of small areas."""
