"""Leaves here: the wiring drawings, made from the bill of materials and the pin table."""
