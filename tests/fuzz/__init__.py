"""Whatever arrives, an answer or a fault goes out: coverage-guided over bytes, and by structure."""
