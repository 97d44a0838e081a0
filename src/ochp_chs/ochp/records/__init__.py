"""Codecs: one module per record type turns its XML into a row and says what is wrong with it."""
