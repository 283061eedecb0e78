"""The tests: three kinds of agent under one body."""
