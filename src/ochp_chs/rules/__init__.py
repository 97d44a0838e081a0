"""Is a CDR plausible? One rule per module, an ordered tuple of them, and a runner."""
