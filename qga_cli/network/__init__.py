"""Connections of a guest that needs no network for them: in through the agent, and out."""
