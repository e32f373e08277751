"""What leaves here: one message per cause to a person, by webhook or by mail, and nothing twice in a hurry."""
