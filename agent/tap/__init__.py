"""Leaves here: bursts of frames, from live legs or capture files."""
