"""A sheet of boxes, wires and pins as SVG text; the same input gives the same octets."""

from dataclasses import dataclass, field
from xml.sax.saxutils import escape

INK, PAPER, MUTED = "#1c2733", "#ffffff", "#6b7785"
#: Wire colours by what flows: frames of the ward, management traffic, supply, ground, signal.
COLOURS = {"tap": "#0b6e4f", "management": "#1f5fa8", "power": "#b3261e", "ground": "#3c3c3c", "signal": "#8a5a00"}
#: Height of one line of text and the width of a character of its font, in drawing units.
LINE, CHARACTER = 16, 6.6


@dataclass(frozen=True)
class Box:
    """A part or a place: `ref` is its designator in the bill of materials, "" for what the site already has."""

    ref: str
    title: str
    x: int
    y: int
    width: int
    height: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wire:
    """A connection through given points; `kind` is a key of COLOURS, `arrow` says that it carries one way only."""

    points: tuple[tuple[int, int], ...]
    kind: str
    label: str = ""
    arrow: bool = False


@dataclass
class Sheet:
    """What is drawn, in the order of drawing."""

    title: str
    width: int
    height: int
    _parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, words: str, *, size: int = 12, colour: str = INK, anchor: str = "start") -> None:
        """One line of text; `anchor` is start, middle or end."""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}" '
            f'text-anchor="{anchor}">{escape(words)}</text>'
        )

    def box(self, box: Box) -> None:
        """A frame with its designator, title and notes; raises ValueError when a line would not fit."""
        for words in (f"{box.ref} {box.title}", *box.lines):
            if len(words) * CHARACTER > box.width - 12:
                raise ValueError(f"does not fit its box: {words!r}")
        if (1 + len(box.lines)) * LINE > box.height:
            raise ValueError(f"too many lines for its box: {box.title!r}")
        dash = "" if box.ref else ' stroke-dasharray="6 4"'
        self._parts.append(
            f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="6" fill="{PAPER}" '
            f'stroke="{INK}" stroke-width="1.5"{dash}/>'
        )
        self.text(box.x + 8, box.y + LINE, f"{box.ref} {box.title}".strip(), size=13)
        for number, words in enumerate(box.lines, start=2):
            self.text(box.x + 8, box.y + number * LINE, words, size=11, colour=MUTED)

    def wire(self, wire: Wire) -> None:
        """A polyline with its label above the first stretch."""
        colour = COLOURS[wire.kind]
        points = " ".join(f"{x},{y}" for x, y in wire.points)
        tip = f' marker-end="url(#tip-{wire.kind})"' if wire.arrow else ""
        self._parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{tip}/>')
        (x0, y0), (x1, _) = wire.points[:2]
        if wire.label:
            self.text((x0 + x1) / 2, y0 - 6, wire.label, size=11, colour=colour, anchor="middle")

    def dot(self, x: int, y: int, kind: str, *, filled: bool) -> None:
        """A pin: filled when it is used."""
        colour = COLOURS[kind]
        self._parts.append(
            f'<circle cx="{x}" cy="{y}" r="6" fill="{colour if filled else PAPER}" '
            f'stroke="{colour}" stroke-width="1.5"/>'
        )

    def svg(self) -> str:
        """The whole drawing."""
        tips = "".join(
            f'<marker id="tip-{kind}" viewBox="0 0 10 10" refX="9" refY="5" '
            f'markerWidth="7" markerHeight="7" orient="auto">'
            f'<path d="M0,0 L10,5 L0,10 z" fill="{colour}"/></marker>'
            for kind, colour in COLOURS.items()
        )
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" font-family="DejaVu Sans, Arial, sans-serif" role="img">'
        )
        paper = f'<rect width="{self.width}" height="{self.height}" fill="{PAPER}"/>'
        lines = [head, f"<title>{escape(self.title)}</title>", f"<defs>{tips}</defs>", paper, *self._parts, "</svg>"]
        return "\n".join(lines) + "\n"
