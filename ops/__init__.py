"""The controller: how a machine is brought to its desired state and kept there."""
