"""Mails about money: a note for each fact, the words of a letter, and the sending."""
