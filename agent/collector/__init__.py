"""What leaves here: records stored for good, signed acknowledgements, a page, and a message to a person."""
