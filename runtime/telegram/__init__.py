"""tv-telegram: tells people what the store holds, and takes their commands. It imports no other service."""
