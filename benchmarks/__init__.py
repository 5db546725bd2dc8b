"""How fast a deploy is, measured on a real Debian 12 host beside the tools that people know. See README.md."""
