"""Spyne services: one module per chapter of the protocol."""
