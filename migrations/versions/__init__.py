"""Numbered 0001, 0002, ...: a version's file never changes once released."""
