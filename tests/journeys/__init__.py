"""Stories that cross rooms: from frames on the wire to what a person is shown."""
