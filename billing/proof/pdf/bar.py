"""The drawn call: one bar from beginning to end, in which paid, free and unbilled time differ in more than hue."""

from typing import Any

from billing.proof.pdf.sheet import ACCENT, LEFT, SMALL, WIDTH, Sheet
from billing.proof.pdf.wording import Wording
from billing.proof.recompute import moment

HEIGHT = 20
NARROWEST = 1.2
COLOURS = {"talk": ACCENT, "free": "#bcd9d1", "cap": "#f4c95d", "unbilled": "#ffffff"}


def draw(sheet: Sheet, lines: list[dict[str, Any]], words: Wording) -> None:
    """The bar with its times below and its legend."""
    if not lines:
        return
    start, end = moment(lines[0]["from"]), moment(lines[-1]["to"])
    whole = (end - start).total_seconds() or 1
    sheet.room(HEIGHT + 50)
    sheet.down(HEIGHT)
    for line in lines:
        x = LEFT + WIDTH * (moment(line["from"]) - start).total_seconds() / whole
        width = WIDTH * (moment(line["to"]) - moment(line["from"])).total_seconds() / whole
        sheet.box(x, max(NARROWEST, width), HEIGHT, COLOURS[line["kind"]], outline=line["kind"] == "unbilled")
    sheet.down(12)
    sheet.text(LEFT, words.time(lines[0]["from"]), SMALL)
    sheet.text(LEFT + WIDTH, words.time(lines[-1]["to"]), SMALL, right=True)
    sheet.down(17)
    x = LEFT
    for kind in dict.fromkeys(line["kind"] for line in lines):
        sheet.box(x, 9, 9, COLOURS[kind], outline=kind == "unbilled")
        label = words(f"bar.{kind}")
        sheet.text(x + 14, label, SMALL)
        x += 30 + sheet.canvas.stringWidth(label, SMALL.font, SMALL.size)
    sheet.down(10)
