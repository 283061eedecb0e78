"""Tests of what runs in guests, run here under the shells and with the tools that guests have."""
