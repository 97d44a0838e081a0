"""Tables, statements, streaming reads and bulk writes: the only room that builds SQL."""
