"""The facts of the ledger contract, a file a concept; `LedgerContract` puts them together."""
