"""What the MCP server is made of: what it allows, its tools, resources and prompts. Each tool is one workflow."""
