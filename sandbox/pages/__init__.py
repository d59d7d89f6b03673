"""The sandbox's three pages for people: the card form, 3-D Secure, onboarding."""
