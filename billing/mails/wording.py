"""The words of mails about money, PURE: English and German. Figures are put in as they were booked."""

WORDS = {
    "en": {
        "hello": "Hello {name},",
        "bye": "Consultant Connect\nThis mail was sent by itself. It is part of our contract and cannot be cancelled.",
        "receipt.subject": "Your receipt {reference}: {amount}",
        "receipt.text": (
            "you paid {amount} for {time} of connected time.\n\n"
            "Invoice {number}, issued in the consultant's name\n"
            "Net {net}, {vat} {tax}{why}\n\n"
            "The receipt with every second, the invoice as PDF and the signed file are here:\n{url}"
        ),
        "payment_failed.subject": "A payment did not go through: {reference}, {amount}",
        "payment_failed.text": (
            "your card did not pay {amount} for the call {reference}.\n\n"
            "What to do: open the page below and pay now, with this or with another card. If your bank wants to see\n"
            "you, it is asked there.\n{url}\n\n"
            "{again} Until it is paid you can ring nobody. There is no fee for this."
        ),
        "again.at": "We also try again by ourselves, next on {at}.",
        "again.now": "We are trying again at this moment.",
        "payment_given_up.subject": "Still unpaid: {reference}, {amount}",
        "payment_given_up.text": (
            "we have tried since {since}; {amount} for the call {reference} could not be taken.\n"
            "We do not try again.\n\n"
            "What to do: our finance looks at it now. Until it is settled you can ring nobody. How the amount came\n"
            "about, and how to object, is here:\n{url}"
        ),
        "refund.subject": "Your refund {reference}: {amount}",
        "refund.text": (
            "we have given {amount} of the call {reference} back to your card. Your bank shows it within some days.\n\n"
            "{notes}The receipt says what you have paid in the end:\n{url}"
        ),
        "refund.notes": "Credit note {numbers}\n",
        "credit.notes": "Note {numbers}, without VAT\n",
        "credit.subject": "Your credit for the call {reference}: {amount}",
        "credit.text": (
            "when you asked for somebody, nobody was there within our two minutes. The credit for that is set against\n"
            "the call {reference}: {amount} go back to your card. Your bank shows it within some days.\n\n"
            "We bear it ourselves; the consultant's price and invoice stay as they are.\n"
            "{notes}The receipt says what you have paid in the end:\n{url}"
        ),
        "payout_failed.subject": "A payout came back: {amount}",
        "payout_failed.text": (
            "the payout of {amount} did not reach your bank; the amount lies on your account again.\n\n"
            "{why}\n\nWhat to do: open your earnings and go on to the payout account there. The next payout goes to\n"
            "the bank account you give:\n{url}"
        ),
        "failure.account_closed": "Your bank says that the account is closed. Give another one.",
        "failure.no_account": "Your bank finds no account of this number. Check it, or give another one.",
        "failure.invalid_account_number": "The account number is not valid. Check it, or give another one.",
        "failure.incorrect_account_holder_name": "The holder's name is not the one your bank knows. Correct it.",
        "failure.invalid_currency": "The bank account does not take this currency. Give one that does.",
        "failure.other": "Your bank did not say a reason we know. Check the account, or give another one.",
    },
    "de": {
        "hello": "Guten Tag {name},",
        "bye": (
            "Consultant Connect\nDiese Nachricht wurde von selbst verschickt. Sie gehört zu unserem Vertrag und lässt "
            "sich nicht abbestellen."
        ),
        "receipt.subject": "Ihr Beleg {reference}: {amount}",
        "receipt.text": (
            "Sie haben {amount} für {time} verbundene Zeit bezahlt.\n\n"
            "Rechnung {number}, ausgestellt im Namen der beratenden Person\n"
            "Netto {net}, {vat} {tax}{why}\n\n"
            "Den Beleg mit jeder Sekunde, die Rechnung als PDF und die signierte Datei finden Sie hier:\n{url}"
        ),
        "payment_failed.subject": "Eine Zahlung ging nicht durch: {reference}, {amount}",
        "payment_failed.text": (
            "Ihre Karte hat {amount} für das Gespräch {reference} nicht bezahlt.\n\n"
            "Was zu tun ist: Öffnen Sie die Seite unten und zahlen Sie jetzt, mit dieser oder einer anderen Karte.\n"
            "Möchte Ihre Bank Sie sehen, so fragt sie dort.\n{url}\n\n"
            "{again} Bis es bezahlt ist, können Sie niemanden anrufen. Gebühren entstehen dafür nicht."
        ),
        "again.at": "Wir versuchen es auch von selbst, das nächste Mal am {at}.",
        "again.now": "Wir versuchen es gerade noch einmal.",
        "payment_given_up.subject": "Noch unbezahlt: {reference}, {amount}",
        "payment_given_up.text": (
            "wir haben es seit dem {since} versucht; {amount} für das Gespräch {reference} ließen sich nicht\n"
            "abbuchen. Wir versuchen es nicht weiter.\n\n"
            "Was zu tun ist: Unsere Buchhaltung sieht es sich jetzt an. Bis das geklärt ist, können Sie niemanden\n"
            "anrufen. Wie der Betrag zustande kam, und wie Sie widersprechen, steht hier:\n{url}"
        ),
        "refund.subject": "Ihre Erstattung {reference}: {amount}",
        "refund.text": (
            "wir haben {amount} des Gesprächs {reference} auf Ihre Karte zurückgegeben. Ihre Bank zeigt es in einigen\n"
            "Tagen.\n\n{notes}Was Sie am Ende bezahlt haben, sagt der Beleg:\n{url}"
        ),
        "refund.notes": "Gutschrift {numbers}\n",
        "credit.notes": "Beleg {numbers}, ohne Umsatzsteuer\n",
        "credit.subject": "Ihr Guthaben für das Gespräch {reference}: {amount}",
        "credit.text": (
            "bei einer Ihrer Anfragen war in unseren zwei Minuten niemand für Sie da. Das Guthaben dafür haben wir\n"
            "mit dem Gespräch {reference} verrechnet: {amount} gehen auf Ihre Karte zurück. Ihre Bank zeigt es in\n"
            "einigen Tagen.\n\n"
            "Wir tragen es selbst; Preis und Rechnung der beratenden Person bleiben, wie sie sind.\n"
            "{notes}Was Sie am Ende bezahlt haben, sagt der Beleg:\n{url}"
        ),
        "payout_failed.subject": "Eine Auszahlung kam zurück: {amount}",
        "payout_failed.text": (
            "die Auszahlung von {amount} hat Ihre Bank nicht erreicht; der Betrag liegt wieder auf Ihrem Konto.\n\n"
            "{why}\n\nWas zu tun ist: Öffnen Sie Ihre Einnahmen und gehen Sie dort weiter zum Auszahlungskonto. Die\n"
            "nächste Auszahlung geht an das Bankkonto, das Sie angeben:\n{url}"
        ),
        "failure.account_closed": "Ihre Bank sagt, das Konto sei geschlossen. Geben Sie ein anderes an.",
        "failure.no_account": "Ihre Bank findet kein Konto mit dieser Nummer. Prüfen Sie sie, oder geben Sie ein "
        "anderes an.",
        "failure.invalid_account_number": "Die Kontonummer ist nicht gültig. Prüfen Sie sie, oder geben Sie ein "
        "anderes Konto an.",
        "failure.incorrect_account_holder_name": "Den Namen der Inhaberin, des Inhabers kennt Ihre Bank anders. "
        "Berichtigen Sie ihn.",
        "failure.invalid_currency": "Das Bankkonto nimmt diese Währung nicht. Geben Sie eines an, das sie nimmt.",
        "failure.other": "Ihre Bank hat keinen Grund genannt, den wir kennen. Prüfen Sie das Konto, oder geben Sie "
        "ein anderes an.",
    },
}
