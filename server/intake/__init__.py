"""Intake: follows the store's databases, judges what arrived, keeps the read model and the registers'
summaries."""
