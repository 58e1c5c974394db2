import click


@click.group()
def main() -> None:
    """Identity resolution for customer channels."""
