"""Synthetic customers with known truth. All people are invented; nothing is ever sent to any of them."""

from cdp.demo.generation import DemoSummary, generate_demo

__all__ = ["DemoSummary", "generate_demo"]
