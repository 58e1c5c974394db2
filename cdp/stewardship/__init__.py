"""What stewards rule: profiles joined and split, merge candidates decided, and all of it taken back.

A ruling only opens and closes pair constraints. Who is one person then follows from records, model and constraints, as
after any other change; so a ruling holds whatever comes later, and taking it back leaves nothing behind.
"""
