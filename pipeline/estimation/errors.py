"""What the estimation room refuses."""

from __future__ import annotations

from pipeline.errors import PipelineError


class EstimationError(PipelineError):
    """A model cannot be fitted to what was given; the message names the row, area or covariate at fault."""
