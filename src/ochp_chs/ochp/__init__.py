"""The protocol's vocabulary, without I/O: operations, identifiers, results, record codecs."""
