"""What is counted, where several processes count it, and how it is told to Prometheus."""
