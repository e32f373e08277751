"""What leaves here: verified records that are stored for good, signed acknowledgements, a page, and a message to a person."""
