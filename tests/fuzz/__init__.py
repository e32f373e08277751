"""Hostile octets at every entrance: captures cut and flipped, frames that search for new branches, round trips."""
