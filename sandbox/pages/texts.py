"""Every sentence of the sandbox's pages, in English and German."""

CARD = {
    "en": {
        "title": "Card for testing",
        "intro": "No real card is needed: choose a test card, or type its number.",
        "cards": "Test cards",
        "number": "Card number",
        "save": "Save card",
        "working": "One moment …",
        "saved": "The card is saved.",
        "ok": "is accepted",
        "card_declined": "is declined",
        "insufficient_funds": "has no funds",
        "expired_card": "has expired",
        "authenticate_unless_set_up": "asks for 3-D Secure when saved and at the hold",
        "authenticate_always": "always asks for 3-D Secure",
        "already_set_up": "asks for 3-D Secure only at the hold",
        "declined_later": "is declined at the hold",
        "disputed": "is disputed after the capture",
        "inquired": "the bank asks about the payment",
        "refund_fails": "refunds to it fail later",
        "error": "That did not work. Please try again.",
    },
    "de": {
        "title": "Karte zum Testen",
        "intro": "Sie brauchen keine echte Karte: Wählen Sie eine Testkarte oder geben Sie ihre Nummer ein.",
        "cards": "Testkarten",
        "number": "Kartennummer",
        "save": "Karte speichern",
        "working": "Einen Moment …",
        "saved": "Die Karte ist gespeichert.",
        "ok": "wird angenommen",
        "card_declined": "wird abgelehnt",
        "insufficient_funds": "ist nicht gedeckt",
        "expired_card": "ist abgelaufen",
        "authenticate_unless_set_up": "verlangt 3-D Secure beim Speichern und bei der Reservierung",
        "authenticate_always": "verlangt immer 3-D Secure",
        "already_set_up": "verlangt 3-D Secure nur bei der Reservierung",
        "declined_later": "wird bei der Reservierung abgelehnt",
        "disputed": "wird nach der Abbuchung angefochten",
        "inquired": "die Bank fragt nach der Zahlung",
        "refund_fails": "Erstattungen kommen später zurück",
        "error": "Das hat nicht geklappt. Bitte versuchen Sie es noch einmal.",
    },
}

# What the bank says, in German; English comes from the API itself.
DECLINES_DE = {
    "generic_decline": "Ihre Karte wurde abgelehnt.",
    "insufficient_funds": "Ihre Karte ist nicht ausreichend gedeckt.",
    "expired_card": "Ihre Karte ist abgelaufen.",
    "incorrect_number": "Die Kartennummer ist nicht richtig.",
}

SECURE = {
    "en": {
        "title": "3-D Secure",
        "intro": "Your bank would now ask whether it is you. Here, you decide.",
        "amount": "Amount to be reserved:",
        "pass": "It is me",
        "fail": "Refuse",
        "working": "One moment …",
        "succeeded": "Thank you, you may close this window.",
        "failed": "The payment was refused. You may close this window.",
        "error": "That did not work. Please try again.",
    },
    "de": {
        "title": "3-D Secure",
        "intro": "Ihre Bank würde jetzt fragen, ob Sie es sind. Hier entscheiden Sie.",
        "amount": "Zu reservierender Betrag:",
        "pass": "Ich bin es",
        "fail": "Ablehnen",
        "working": "Einen Moment …",
        "succeeded": "Danke, Sie können dieses Fenster schließen.",
        "failed": "Die Zahlung wurde abgelehnt. Sie können dieses Fenster schließen.",
        "error": "Das hat nicht geklappt. Bitte versuchen Sie es noch einmal.",
    },
}

ONBOARD = {
    "en": {
        "title": "Your payout account",
        "intro": "Stripe would now ask for your name, address and bank account. For testing, one click does it.",
        "done": "Complete and go back",
    },
    "de": {
        "title": "Ihr Auszahlungskonto",
        "intro": "Stripe würde jetzt nach Namen, Anschrift und Bankkonto fragen. Zum Testen genügt ein Klick.",
        "done": "Abschließen und zurück",
    },
}
