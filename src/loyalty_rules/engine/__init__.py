"""The engine: from a program and an event to intents, counters and an explanation, without any ledger."""
