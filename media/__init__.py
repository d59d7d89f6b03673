"""The media plane: sessions, relay, observed intervals."""
