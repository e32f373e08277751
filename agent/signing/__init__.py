"""Leaves here: sealed envelopes, opened ones with their signers, and the table that says who is trusted."""
