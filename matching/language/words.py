"""Words: how a text becomes stems that English and German inflections share (no I/O)."""

import re
import unicodedata
from functools import lru_cache

import snowballstemmer

_WORD = re.compile(r"[a-z0-9äöüß][a-z0-9äöüß+#.]*[a-z0-9äöüß+#]|[a-z0-9äöüß]")

ENGLISH = frozenset(
    """a about above after again against all also am an and any are aren as at be because been before being below
    between both but by can cannot could couldn did didn do does doesn doing don down during each even ever few for
    from further get gets getting give go goes going good got had hadn has hasn have haven having he hello help her
    here hers herself hi him himself his how i if in into is isn it its itself just keep keeps know like ll make
    many may maybe me might more most much must my myself need needs no nor not now of off on once one only or other
    ought our ours ourselves out over own please possible problem question re really right s same shall she should
    shouldn so some somebody someone something still such t tell than thank thanks that the their theirs them
    themselves then there these they thing things this those though through to too trying two under until up us use
    used using ve very want wants was wasn way we well were weren what when where whether which while who whom why
    will with without won would wouldn yes yet you your yours yourself""".split()  # noqa: SIM905 - a paragraph of words reads better than a list of 180 strings
)
GERMAN = frozenset(
    """ab aber alle allem allen aller alles als also am an ander andere anderen anderer anders auch auf aus bei beim
    bekomme bekommen bin bis bist bitte brauche brauchen da dabei dadurch damit danach danke dann darf das dass dein
    deine dem den denn der des deshalb dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein
    eine einem einen einer eines einfach er es etwas euch euer eure fragen frage für gegen geht gehen genau gibt
    gut hab habe haben hallo hat hatte hätte helfen hier hilfe ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer
    in ins ist ja jede jeder jedes jemand jetzt kann kein keine keinen keiner können könnte lassen macht mache
    machen man mehr mein meine meinem meinen meiner meines mich mir mit möchte muss müssen nach nicht nichts noch
    nun nur ob oder ohne problem schon sehr sein seine seinem seinen seiner seit selbst sich sie sind so soll sollen
    sollte sondern sonst tun über um und uns unser unsere unserem unseren unserer unter viel vom von vor wann war
    waren warum was weg weil welche welchem welchen welcher welches wenn wer werde werden weiß wie wieder will wir
    wird wo wurde wurden würde würden zu zum zur zwar zwischen""".split()  # noqa: SIM905 - the same
)
STOP_WORDS = ENGLISH | GERMAN


def words(text: str) -> list[str]:
    """The words of ``text`` in order, lower-case; ``c++``, ``c#`` and ``node.js`` stay whole."""
    return _WORD.findall(unicodedata.normalize("NFC", text).lower().replace("ß", "ss"))


def stem(word: str, language: str = "en") -> str:
    """The stem of one word; the stemmer of every other language is the English one."""
    return _stems(word)[-1 if language == "de" else 0]


@lru_cache(maxsize=50_000)
def _stems(word: str) -> tuple[str, ...]:
    """The English and the German stem; one where they are the same."""
    english, german = (str(_stemmer(name).stemWord(word)) for name in ("english", "german"))
    return (english,) if german == english else (english, german)


@lru_cache(maxsize=2)
def _stemmer(name: str) -> snowballstemmer.basestemmer.BaseStemmer:
    return snowballstemmer.stemmer(name)


def is_stop_word(word: str) -> bool:
    """Whether the word says nothing about the subject."""
    return word in STOP_WORDS or (len(word) == 1 and not word.isdigit())


def terms(text: str) -> list[str]:
    """What a profile or a question is indexed under: the English and the German stem of each meaningful word.

    Profiles mix both languages ("Steuerberater, German tax law"), so a word is found under either inflection.
    """
    return [found for word in words(text) if not is_stop_word(word) for found in _stems(word)]


def normal_tag(tag: str) -> str:
    """A tag as we store it: lower-case, single spaces, no decoration."""
    return " ".join(unicodedata.normalize("NFC", tag).lower().replace("_", " ").split()).strip("#,;. ")
