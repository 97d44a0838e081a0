"""What is stored about a person: told, and erased (docs/retention.md)."""
