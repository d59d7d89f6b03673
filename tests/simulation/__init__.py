"""A deterministic simulation of the money path: real code, real PostgreSQL, the real sandbox, a virtual clock.

``script`` says what happens (drawn from a seed), ``play`` makes it happen, ``evidence`` reads what came of it, and
``oracle`` says what should have, from the script and the product rules alone. What comes after a capture (refunds,
disputes, payouts) is drawn by ``later_script``, played by ``later``, judged by ``later_oracle``. ``run`` is the command
line.
"""
