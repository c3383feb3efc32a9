"""Work orders: who calls whom until when, what came of it, and what the data say of it months later.

`states` is light; the other modules load SQLAlchemy, so import them where they are used.
"""
