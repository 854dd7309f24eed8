"""Reports as pure functions over sums of movements: issuance, rates by cohort, the accounting journal."""
