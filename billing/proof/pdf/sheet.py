"""A sheet of A4, upright or wide, filled from the top, PURE drawing: text, rules, bars; a new page when one is full."""

import io
from dataclasses import dataclass
from threading import Lock

from font_source_sans_pro import font_files_ttf
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

INK, SOFT, LINE, ACCENT = "#1c2523", "#55605d", "#e2ddd3", "#0f6b5c"
PLAIN, BOLD = "SourceSans", "SourceSansBold"
_FILES = {PLAIN: "SourceSansPro", BOLD: "SourceSansProSemibold"}
LEFT, RIGHT = 20 * mm, A4[0] - 20 * mm
BOTTOM = 30 * mm
WIDTH = RIGHT - LEFT

# The library keeps fonts in one place for the whole process; one sheet at a time may use them.
DRAWING = Lock()


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks: font, size in points, colour; ``leading`` is the distance of two lines in sizes."""

    font: str = PLAIN
    size: float = 10
    colour: str = INK
    leading: float = 1.35


BODY, STRONG, SMALL = Style(), Style(BOLD), Style(size=8.5, colour=SOFT)
TITLE, HEADING, AMOUNT = Style(BOLD, 20), Style(BOLD, 11.5), Style(BOLD, 30)


class Sheet:
    """A document that grows downwards. ``y`` is where the next line may begin, in points from the bottom.

    A ``wide`` sheet lies on its side, for tables of many columns; ``right`` is where its lines end.
    """

    def __init__(self, *, title: str, author: str, language: str, footer: list[str], wide: bool = False) -> None:
        for name, key in _FILES.items():
            if name not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(TTFont(name, font_files_ttf[key]))
        self._buffer = io.BytesIO()
        size = landscape(A4) if wide else A4
        self.canvas = Canvas(self._buffer, pagesize=size, invariant=1, lang=language)
        self.canvas.setTitle(title)
        self.canvas.setAuthor(author)
        self._footer, self._pages = footer, 1
        self.right, self._top = size[0] - LEFT, size[1] - LEFT
        self.y = self._top

    def text(self, x: float, text: str, style: Style = BODY, *, right: bool = False) -> None:
        """A piece of text on the present line; ``right`` ends it at ``x``."""
        self.canvas.setFont(style.font, style.size)
        self.canvas.setFillColor(HexColor(style.colour))
        (self.canvas.drawRightString if right else self.canvas.drawString)(x, self.y, text)

    def fitted(self, text: str, style: Style, width: float) -> str:
        """The text, cut with an ellipsis where it is wider than this."""
        if self.canvas.stringWidth(text, style.font, style.size) <= width:
            return text
        while text and self.canvas.stringWidth(f"{text}…", style.font, style.size) > width:
            text = text[:-1]
        return f"{text}…"

    def paragraph(self, text: str, style: Style = BODY, *, x: float = LEFT, width: float = WIDTH) -> None:
        """Text that is broken into lines; the cursor ends below it."""
        for line in simpleSplit(text, style.font, style.size, width):
            self.room(style.size * style.leading)
            self.text(x, line, style)
            self.down(style.size * style.leading)

    def heading(self, text: str) -> None:
        """A heading, never alone at the foot of a page."""
        self.down(10)
        self.room(60)
        self.text(LEFT, text, HEADING)
        self.down(18)

    def rule(self) -> None:
        """A thin line across."""
        self.canvas.setStrokeColor(HexColor(LINE))
        self.canvas.setLineWidth(0.7)
        self.canvas.line(LEFT, self.y, self.right, self.y)

    def box(self, x: float, width: float, height: float, colour: str, *, outline: bool = False) -> None:
        """A bar that stands on the present line."""
        self.canvas.setFillColor(HexColor(colour))
        self.canvas.setStrokeColor(HexColor(SOFT))
        self.canvas.setLineWidth(0.6)
        self.canvas.rect(x, self.y, width, height, fill=1, stroke=int(outline))

    def down(self, points: float) -> None:
        """Move the cursor down."""
        self.y -= points

    def room(self, points: float) -> bool:
        """Begin a new page when less than this is left; says whether it did."""
        if self.y - points >= BOTTOM:
            return False
        self._foot()
        self.canvas.showPage()
        self._pages += 1
        self.y = self._top
        return True

    def finish(self) -> bytes:
        """The whole document."""
        self._foot()
        self.canvas.save()
        return self._buffer.getvalue()

    def _foot(self) -> None:
        at, self.y = self.y, BOTTOM - 12
        self.rule()
        self.down(11)
        style = Style(size=7.5, colour=SOFT)
        for line in self._footer:
            self.text(LEFT, line, style)
            self.down(9.5)
        self.y = BOTTOM - 23
        self.text(self.right, str(self._pages), style, right=True)
        self.y = at
