"""What hints may cost in a second, and the columns in which kernels keep count of it."""

HINTS_PER_SECOND = 256  # a ward that boots after a power cut says less; a flood of names costs no more than this
HINTS_PER_SOURCE = 12  # of one kind, from one MAC, in a second
HINTS_PER_KIND = 96  # of one kind in a second: a flood of one protocol leaves the others their turn
LOOKS_PER_SECOND = 1 << 15  # hints that are compared with what was heard: at most 0.4 us each
LOOKS_PER_KIND = 1 << 12
LOOKS_WHEN_FULL = 1024  # of one kind in a second, to tell news that must wait from what is no news
HINT_OCTETS_MAX = 8192  # what a reader may see of one payload
SHAPE_OCTETS = 80  # of a message whose shape is an exploit's: its header and parameter words
COMMAND_OCTETS = 4  # what it may see of a log-in: the command's word

# Columns of `budget`: what is left, limits, counts.
LEFT, PER_SOURCE_MAX, SKIPPED, REPEATED, PER_KIND_MAX, LOOKS_LEFT, LOOKS_PER_KIND_MAX, UNSEEN = 0, 1, 2, 3, 4, 5, 6, 7
JOINABLE = 8  # of the last call: hints of kinds whose message may go on in the next segment
BUDGET_SIZE = 9
# Columns of `per_kind`.
NEWS, LOOKS = 0, 1
PER_KIND_SIZE = 2
