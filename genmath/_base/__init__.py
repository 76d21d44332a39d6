"""What the implementations share and nobody imports by name."""
