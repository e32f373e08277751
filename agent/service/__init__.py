"""The running programs: the only code that knows all stages."""
