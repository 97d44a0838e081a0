"""A day's traffic of CPOs and EMPs, compressed, through the scale topology: checked by a model."""
