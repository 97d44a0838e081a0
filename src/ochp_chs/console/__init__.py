"""What people and monitors look at: health and pages."""
