"""The controller: how a machine is brought to its desired state and kept there."""

import os

# Looking for plugins that we do not have reads the metadata of every installed package: 15 ms of each command.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
