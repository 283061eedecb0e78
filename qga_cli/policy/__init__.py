"""Checks and records every call to an agent, where a policy or an audit file is configured."""
