"""Slow twins in plain Python, written from the standards and from what the rows' fields are documented to mean.

They know nothing of the kernels. Where a standard leaves a choice, the module's docstring says what was decided.
"""
