"""What leaves here: a read-only page that works without scripts and shows hostile strings as what they are."""
