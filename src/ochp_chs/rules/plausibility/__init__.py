"""The plausibility rules, one per module (PROTOCOL, "Plausibility")."""
