"""custvalue: sources → features → tiers → churn → explain → retention → lists → app."""
