"""The idiomatic way: Spyne's ComplexModel objects, and SQLAlchemy's ORM.

What the two libraries' own tutorials lead to, with the same contract on the wire: arrays are
lists of objects, the schema is checked by Spyne's lxml validator, a list is replaced by one DELETE
and one add_all, a request is one session. It judges nothing, keeps no log, and knows no deltas.
"""
