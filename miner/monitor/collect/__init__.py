"""What measures: one class for each thing that is looked at. None knows a rule, and each can fail by itself."""
