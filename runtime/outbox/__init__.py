"""What each sink has been delivered, what it still owes, and what it refused for good."""
