"""Those who work in the console: accounts, roles, signing in."""
