"""Leaves here: the contract with the collector - types, topics, headers and bodies as exact bytes, within limits."""
