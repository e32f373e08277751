"""What leaves here: one message per cause to a person, through a webhook or a mail server, and nothing twice in a hurry."""
