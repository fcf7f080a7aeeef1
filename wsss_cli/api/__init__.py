"""What Python programs call: `import wsss_cli as wsss`, told in docs/python.md."""
