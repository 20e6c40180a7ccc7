"""Webhooks: other programs are told of verdicts, exceptions and bulletins (`docs/webhooks.md`).

    document store, exceptions ─► watching ─► outbox ─► delivering ─► the receiver
                                   (people.sqlite3)

What happened is read from the store's changes and from the board, never sent from a request or from intake.
It is written to the outbox in one transaction with how far was read, so a crash loses nothing, and a rebuild,
which changes no verdict, sends nothing.
"""
