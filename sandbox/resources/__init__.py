"""Stripe's resources, one file each: plain functions that change the world and return the object."""
