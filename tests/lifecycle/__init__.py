"""What happens after the sale: promises, returns, spending, redemption, expiry; tables by hand and laws by name."""
