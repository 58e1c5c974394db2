"""The WSGI entry."""
