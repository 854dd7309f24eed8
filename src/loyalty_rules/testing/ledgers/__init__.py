"""For the author of a ledger: the contract, the state machine, the reference model."""
