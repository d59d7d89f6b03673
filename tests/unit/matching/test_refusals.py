"""What is refused at the edge, and, above all, what is not."""

import time

import pytest

from core.errors import Invalid
from matching.questions import refusals
from matching.questions.refusals import Refusal, refusal

REFUSED = [
    ("????????", "", Refusal.EMPTY),
    ("aaaaaaaaaaaaaa", "", Refusal.EMPTY),
    ("12345 67890", "", Refusal.EMPTY),
    ("Steuererklärung", "", Refusal.TOO_SHORT),
    ("https://example.com/a/b?c=d", "", Refusal.ONLY_LINK),
    ("see www.example.com", "https://example.org/x", Refusal.ONLY_LINK),
    ("WHY DOES MY DATABASE NEVER ANSWER ANYMORE", "", Refusal.SHOUTED),
    ("WARUM ANTWORTET MEINE DATENBANK NICHT MEHR", "", Refusal.SHOUTED),
    ("you are all idiots and this site is bad", "", Refusal.ABUSIVE),
    ("Kubernetes question for experts", "Answer me, you stupid moron.", Refusal.ABUSIVE),
    ("fuck you and your taxes", "", Refusal.ABUSIVE),
    ("Fick dich, du Steuerberater", "", Refusal.ABUSIVE),
    ("Du bist ein Arschloch, sagt ihr mir das", "", Refusal.ABUSIVE),
]
LET_PASS = [
    # Names of places and persons, and words that contain others.
    "How do I register a company in Scunthorpe?",
    "Moving from Penistone to Cockermouth, which council tax applies?",
    "Umzug von Wichsenstein nach Fucking, welches Finanzamt ist zuständig?",
    "Is Dick Assman allowed to use his name as a trademark?",
    "Analysis of class action law in Essex",
    # About an insult, told or quoted.
    "My boss called me an idiot in a meeting, what can I do?",
    'Is "you idiot" an insult in the sense of German law?',
    "Mein Nachbar nannte mich Arschloch, kann ich ihn anzeigen?",
    "Ist „du Arschloch“ eine strafbare Beleidigung?",
    "Sind sie Idioten oder habe ich recht mit der Mieterhöhung?",
    # Acronyms, short words, code, other scripts, links with words.
    "HTTP API CORS JSON",
    "DSGVO UND AGB",
    "VAT for LLC in USA or GmbH?",
    "Was ist SEO?",
    "C++ templates",
    "私の税金について教えてください",
    "Почему не работает мой запрос к базе?",
    "What is wrong with https://example.com/page ?",
    "k8s pods restart",
    "Why does SELECT COUNT(*) FROM ORDERS take so long?",
]


@pytest.mark.parametrize(("title", "details", "rule"), REFUSED)
def test_each_rule_refuses_and_says_which_it_is(title: str, details: str, rule: Refusal) -> None:
    assert refusal(title, details) is rule
    with pytest.raises(Invalid) as refused:
        refusals.check(title, details)
    assert refused.value.code == rule.value
    assert refused.value.message == refusals.MESSAGES[rule]


@pytest.mark.parametrize("title", LET_PASS)
def test_nobody_is_refused_for_how_a_word_looks(title: str) -> None:
    assert refusal(title) is None


def test_one_word_with_details_is_a_question() -> None:
    assert refusal("Steuererklärung", "Welche Frist gilt für das Jahr 2025?") is None


@pytest.mark.parametrize("sign", "„“»«\"'")
def test_a_text_of_quotation_marks_is_read_once(sign: str) -> None:
    began = time.process_time()
    assert refusal("What do these signs mean?", sign * 40_000 + " you idiot") is Refusal.ABUSIVE
    assert time.process_time() - began < 1, "once for each sign takes many seconds"
