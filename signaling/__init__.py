"""Calls and what is said about them: call machine, presence, socket gateway, chat."""
