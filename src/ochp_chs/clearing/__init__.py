"""The operations themselves: who may see what, uploads, deltas, each chapter of the protocol."""
