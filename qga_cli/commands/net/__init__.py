"""Network: interfaces and routes."""
