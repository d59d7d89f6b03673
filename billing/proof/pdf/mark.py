"""Our sign, as on the page, PURE drawing."""

from billing.proof.pdf.sheet import ACCENT, LEFT, Sheet


def draw(sheet: Sheet) -> None:
    """The sign at the left edge of the present line; what follows it begins 34 points further."""
    canvas, y = sheet.canvas, sheet.y - 7
    canvas.setFillColor(ACCENT)
    canvas.roundRect(LEFT, y, 26, 26, 7, fill=1, stroke=0)
    canvas.setStrokeColor("#ffffff")
    canvas.setLineWidth(2.6)
    canvas.setLineCap(1)
    canvas.arc(LEFT + 6.5, y + 7.3, LEFT + 17.9, y + 18.7, 40, 280)
    canvas.setFillColor("#f4c95d")
    canvas.circle(LEFT + 18.4, y + 13, 2.1, fill=1, stroke=0)
