"""The words of the printed receipt, PURE: English and German, money and time as each writes them."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from billing.proof.recompute import moment
from core.money import Currency

WORDS = {
    "en": {
        "receipt": "Receipt",
        "invoice": "Invoice {number}",
        "reference": "Reference",
        "call": "Call",
        "subject": "Question",
        "customer": "Customer",
        "consultant": "Consultant",
        "issued": "Issued",
        "in_name_of": "Issued by {issuer} in the name of the consultant.",
        "paid": "Charged to the card for {time} of connected time.",
        "free": "The call lasted {time} of connected time and cost nothing.",
        "uncollectable": "Due for {time} of connected time; the card did not pay all of it.",
        "share": "Your share of {gross} for {time} of connected time.",
        "how": "How it came about",
        "line.talk": "Talk at {rate} per minute",
        "line.free": "Free time",
        "line.cap": "Beyond the limit",
        "line.unbilled": "Not counted",
        "bar.talk": "Paid",
        "bar.free": "Free",
        "bar.cap": "Beyond the limit",
        "bar.unbilled": "Not counted",
        "when": "When",
        "duration": "Duration",
        "amount": "Amount",
        "uncovered": "Not covered by the card's holds, waived",
        "net": "Net",
        "vat": "VAT {rate}",
        "vat.exempt": "VAT (exempt)",
        "vat.reverse_charge": "VAT (reverse charge)",
        "vat.outside_scope": "VAT (not taxable here)",
        "vat_id": "VAT no. {number}",
        "tax.small_business": "No VAT is charged: small enterprise (Art. 284 Directive 2006/112/EC).",
        "tax.small_business.DE": "No VAT is charged: small business under § 19 UStG (Germany).",
        "tax.small_business.AT": "No VAT is charged: small business under § 6 (1) no. 27 UStG (Austria).",
        "tax.eu_business": "Reverse charge: the customer owes the VAT (Art. 44, 196 Directive 2006/112/EC).",
        "tax.outside_eu": "Not taxable in the consultant's country: the service is supplied where the customer is.",
        "tax.no_rate": "No VAT is shown: the consultant is taxed in a country with other rules ({country}).",
        "tax.eu_consumer": "VAT of the consultant's country, {country} (Art. 45 Directive 2006/112/EC).",
        "tax.supplier_unregistered": "VAT of the consultant's country, {country}: the consultant has no VAT number.",
        "total": "Total",
        "commission": "Commission {rate}",
        "your_share": "Your share",
        "money": "Payment",
        "hold": "Reserved {n}",
        "hold.text": "{amount} at {at}; charged {captured}, released {released}",
        "refund": "Refund",
        "refund.text": "{amount} on {at}, credit note {number}",
        "credit": "Our credit",
        "credit.text": "{amount} on {at}, for a promise we missed; note {number}, without VAT",
        "fee": "The payment fee is borne by {issuer}; it is neither in this price nor in the share.",
        "rules": "What was agreed",
        "rule.whole_call": "Under {threshold} a call costs nothing; from it on the whole connected time is charged, "
        "at {rate} per minute, to the millisecond, never more than {cap}.",
        "rule.after_threshold": "The first {threshold} are free; the connected time after it is charged, "
        "at {rate} per minute, to the millisecond, never more than {cap}.",
        "consent": "Terms {version}, agreed to on {at}.",
        "verify": "How to check this receipt",
        "verify.text": "Download the signed receipt (JSON) and open {url}/verify: every figure is worked out again in "
        "your browser, and the seal of all {entries} entries of the evidence is checked. Nothing is sent.",
        "key": "Signed with key {key}",
        "seal": "Evidence {hash}",
        "foot": "{issuer} · {reference}",
    },
    "de": {
        "receipt": "Beleg",
        "invoice": "Rechnung {number}",
        "reference": "Vorgang",
        "call": "Gespräch",
        "subject": "Frage",
        "customer": "Kundin/Kunde",
        "consultant": "Beratung durch",
        "issued": "Ausgestellt",
        "in_name_of": "Ausgestellt von {issuer} im Namen der beratenden Person.",
        "paid": "Von der Karte abgebucht für {time} verbundene Zeit.",
        "free": "Das Gespräch dauerte {time} verbundene Zeit und kostete nichts.",
        "uncollectable": "Fällig für {time} verbundene Zeit; die Karte hat nicht alles bezahlt.",
        "share": "Ihr Anteil an {gross} für {time} verbundene Zeit.",
        "how": "So kommt der Betrag zustande",
        "line.talk": "Gespräch zu {rate} je Minute",
        "line.free": "Freie Zeit",
        "line.cap": "Über der Grenze",
        "line.unbilled": "Nicht gezählt",
        "bar.talk": "Bezahlt",
        "bar.free": "Frei",
        "bar.cap": "Über der Grenze",
        "bar.unbilled": "Nicht gezählt",
        "when": "Wann",
        "duration": "Dauer",
        "amount": "Betrag",
        "uncovered": "Von den Reservierungen der Karte nicht gedeckt, erlassen",
        "net": "Netto",
        "vat": "USt {rate}",
        "vat.exempt": "USt (befreit)",
        "vat.reverse_charge": "USt (Reverse Charge)",
        "vat.outside_scope": "USt (hier nicht steuerbar)",
        "vat_id": "USt-IdNr. {number}",
        "tax.small_business": "Umsatzsteuerfrei: Kleinunternehmerregelung (Art. 284 RL 2006/112/EG).",
        "tax.small_business.DE": "Es wird keine Umsatzsteuer berechnet: Kleinunternehmer nach § 19 UStG.",
        "tax.small_business.AT": "Umsatzsteuerfrei: Kleinunternehmer nach § 6 Abs. 1 Z 27 UStG (Österreich).",
        "tax.eu_business": "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge, Art. 44 und 196 "
        "RL 2006/112/EG).",
        "tax.outside_eu": "Nicht steuerbar: Ort der Leistung ist nicht das Land der beratenden Person.",
        "tax.no_rate": "Ohne Ausweis von Umsatzsteuer: Für die beratende Person gelten andere Regeln ({country}).",
        "tax.eu_consumer": "Umsatzsteuer des Landes der beratenden Person, {country} (Art. 45 RL 2006/112/EG).",
        "tax.supplier_unregistered": "Umsatzsteuer des Landes der beratenden Person ({country}, ohne USt-IdNr.).",
        "total": "Summe",
        "commission": "Provision {rate}",
        "your_share": "Ihr Anteil",
        "money": "Zahlung",
        "hold": "Reservierung {n}",
        "hold.text": "{amount} um {at}; abgebucht {captured}, freigegeben {released}",
        "refund": "Erstattung",
        "refund.text": "{amount} am {at}, Gutschrift {number}",
        "credit": "Guthaben",
        "credit.text": "{amount} am {at}, für ein Versprechen, das wir nicht hielten; Beleg {number}, ohne USt.",
        "fee": "Die Zahlungsgebühr trägt {issuer}; sie steckt weder in diesem Preis noch im Anteil.",
        "rules": "Was vereinbart war",
        "rule.whole_call": "Unter {threshold} kostet ein Gespräch nichts; ab dann zählt die ganze verbundene Zeit, "
        "zu {rate} je Minute, auf die Millisekunde, nie mehr als {cap}.",
        "rule.after_threshold": "Die ersten {threshold} sind frei; danach zählt die verbundene Zeit, "
        "zu {rate} je Minute, auf die Millisekunde, nie mehr als {cap}.",
        "consent": "Bedingungen {version}, zugestimmt am {at}.",
        "verify": "So prüfen Sie diesen Beleg",
        "verify.text": "Laden Sie den signierten Beleg (JSON) und öffnen Sie {url}/verify: Ihr Browser rechnet jede "
        "Zahl nach und prüft das Siegel aller {entries} Einträge des Verlaufs. Dabei wird nichts versendet.",
        "key": "Signiert mit Schlüssel {key}",
        "seal": "Verlauf {hash}",
        "foot": "{issuer} · {reference}",
    },
}
_CAUSES = {
    "en": {
        "agreed_pause": "agreed pause",
        "customer_unseen": "customer not seen",
        "consultant_unseen": "consultant not seen",
        "both_unseen": "neither side seen",
        "node_lost": "our server was replaced",
    },
    "de": {
        "agreed_pause": "vereinbarte Pause",
        "customer_unseen": "Kundenseite nicht gesehen",
        "consultant_unseen": "Beratungsseite nicht gesehen",
        "both_unseen": "keine Seite gesehen",
        "node_lost": "unser Server wurde ersetzt",
    },
}
_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),  # noqa: SIM905
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),  # noqa: SIM905
}
_SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£", "chf": "CHF\u00a0", "jpy": "¥"}
MORE_OF_A_RATE = 2  # decimals that a rate may have beyond those of an amount
DASH = "\u2013"


@dataclass(frozen=True, slots=True)
class Wording:
    """One reader's language, currency and time zone."""

    locale: str
    currency: str
    zone: ZoneInfo

    def __call__(self, key: str, /, **figures: object) -> str:
        """The sentence ``key`` with its figures."""
        return WORDS[self.locale][key].format(**figures)

    def tax(self, reason: str | None, country: str | None) -> str | None:
        """Why the price is taxed as it is, where an invoice must or should say so."""
        words = WORDS[self.locale]
        sentence = words.get(f"tax.{reason}.{country}", words.get(f"tax.{reason}"))
        return None if sentence is None else sentence.format(country=country)

    def money(self, minor: int) -> str:
        """An amount, as the reader's language writes it."""
        return self._amount(abs(minor), self._decimals, negative=minor < 0)

    def figure(self, minor: int) -> str:
        """The same without its currency, for columns that say it once."""
        return self._amount(abs(minor), self._decimals, negative=minor < 0, symbol="").strip()

    def per_minute(self, minor_per_hour: int) -> str:
        """A rate of an hour as that of a minute, to a hundredth of a minor unit where it needs that."""
        scaled = (minor_per_hour * 100 * 2 + 60) // 120  # a hundredth of a minor unit, half up
        if scaled % 100 == 0:
            return self._amount(scaled // 100, self._decimals)
        return self._amount(scaled, self._decimals + MORE_OF_A_RATE)

    @property
    def _decimals(self) -> int:
        return Currency(self.currency).decimals

    def _amount(self, value: int, digits: int, *, negative: bool = False, symbol: str | None = None) -> str:
        whole, part = divmod(value, 10**digits)
        sign = "−" if negative else ""  # noqa: RUF001 - a minus, not a hyphen
        symbol = _SYMBOLS[self.currency] if symbol is None else symbol
        group, point = (".", ",") if self.locale == "de" else (",", ".")
        figure = f"{whole:,}".replace(",", group) + (f"{point}{part:0{digits}d}" if digits else "")
        return f"{sign}{figure}\u00a0{symbol.strip()}" if self.locale == "de" else f"{sign}{symbol}{figure}"

    def percent(self, bps: int) -> str:
        """A rate in basis points."""
        whole, part = divmod(bps, 100)
        text = f"{whole}.{part:02d}".rstrip("0").rstrip(".") if part else str(whole)
        return text.replace(".", ",") + "\u00a0%" if self.locale == "de" else text + "%"

    def span(self, ms: int) -> str:
        """A duration, such as 11:10.117; thousandths only where there are any."""
        seconds, rest = divmod(ms, 1_000)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        clock = f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
        return f"{clock}{',' if self.locale == 'de' else '.'}{rest:03d}" if rest else clock

    def time(self, text: str) -> str:
        """The time of day of a moment of the receipt."""
        return f"{self._local(text):%H:%M:%S}"

    def day(self, text: str) -> str:
        """Its day."""
        at = self._local(text)
        dot = "." if self.locale == "de" else ""
        return f"{at.day}{dot} {_MONTHS[self.locale][at.month - 1]} {at.year}"

    def short_day(self, text: str) -> str:
        """Its day in figures, as the language writes it."""
        return f"{self._local(text):{'%d.%m.%Y' if self.locale == 'de' else '%Y-%m-%d'}}"

    def month(self, first: date) -> str:
        """A month by its name."""
        return f"{_MONTHS[self.locale][first.month - 1]} {first.year}"

    def day_and_time(self, text: str) -> str:
        """Day and time, with the zone that is meant."""
        return f"{self.day(text)}, {self.time(text)} {self._local(text):%Z}"

    def cause(self, code: str | None) -> str:
        """Why time was not counted."""
        return _CAUSES[self.locale].get(code or "", (code or "").replace("_", " "))

    def _local(self, text: str) -> datetime:
        return moment(text).astimezone(self.zone)
