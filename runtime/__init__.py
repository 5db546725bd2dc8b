"""What runs on hosts: the webhook, the ledger, and what they share."""
