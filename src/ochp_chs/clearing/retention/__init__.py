"""What is old is archived and erased, what nobody needs is pruned (docs/retention.md)."""
