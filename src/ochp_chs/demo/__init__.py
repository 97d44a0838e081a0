"""The demo: partners that everybody knows, and what they do with each other over SOAP."""
