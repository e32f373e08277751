"""Leaves here: durable records, in order, whatever happens to the process, the disk or the power."""
