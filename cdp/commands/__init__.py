"""The command line, one file a group of commands. A command's file is loaded when it is called, not before.

A CdpError or an error of the database ends a command with one line on standard error and exit code 1,
wrong use with one line and 2; with --json the line is a JSON object.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from cdp.errors import CdpError

# Name of the command: where it is, and its line in `cdp --help`, told without loading it.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("cdp.commands.demo:demo", "Make and show demo customers."),
    "evaluate": ("cdp.commands.evaluate:evaluate", "Score the profiles against a truth file."),
    "export": ("cdp.commands.export:export", "Write profiles, memberships, candidates or labels to a file."),
    "import": ("cdp.commands.import_:import_", "Import CSV, JSON lines or Parquet files."),
    "key": ("cdp.commands.keys:key", "Create, list, rotate and revoke API keys."),
    "migrate": ("cdp.commands.migrate:migrate", "Bring the store's schema to this version."),
    "model": ("cdp.commands.models:model", "List model versions, put one in force."),
    "resolve": ("cdp.commands.resolve:resolve", "Resolve all records into profiles."),
    "serve": ("cdp.commands.serve:serve", "Serve the HTTP API and the console."),
    "source": ("cdp.commands.sources:source", "Create, list and change the sources of records."),
    "standardize": (
        "cdp.commands.standardize:standardize",
        "Standardize stored records anew after an upgrade.",
    ),
    "train": ("cdp.commands.train:train", "Train a model version on the source records in the store."),
    "user": ("cdp.commands.users:user", "Create and manage the users of the console."),
    "verify": ("cdp.commands.verify:verify", "Check every invariant of the store."),
    "worker": ("cdp.commands.worker:worker", "Work off what waits in the store."),
}


class CommandGroup(click.Group):
    """Commands by name, loaded on demand; errors on one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def main(  # type: ignore[override]  # click's overloads only tell that it exits when standalone
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        arguments = list(sys.argv[1:] if args is None else args)
        if not standalone_mode:
            return super().main(arguments, prog_name, standalone_mode=False, **extra)
        try:
            code = super().main(arguments, prog_name, standalone_mode=False, **extra)
        except CdpError as error:
            _fail(arguments, str(error), reason=error.reason, ids=error.ids, code=1)
        except click.exceptions.NoArgsIsHelpError as error:
            # A group without its command: the help is the message, and help on one line is none.
            click.echo(error.format_message(), err=True)
            sys.exit(error.exit_code)
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "cdp"
            message = f"{error.format_message()} See `{command} --help`."
            _fail(arguments, message, reason="usage", ids=(), code=error.exit_code)
        except click.ClickException as error:
            _fail(arguments, error.format_message(), reason="usage", ids=(), code=error.exit_code)
        except click.Abort:
            _fail(arguments, "Interrupted.", reason="interrupted", ids=(), code=130)
        except Exception as error:
            refusal = _database_error(error)
            if refusal is None:
                raise
            _fail(arguments, refusal, reason="store_error", ids=(), code=1)
        sys.exit(code if isinstance(code, int) else 0)


def _database_error(error: Exception) -> str | None:
    """A database error that nobody foresaw, without the driver's words: they quote people's values."""
    from sqlalchemy.exc import DBAPIError  # Loaded here: slow to load, and most commands never fail so.

    if not isinstance(error, DBAPIError):
        return None
    cause = error.orig
    state = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or "no code"
    return f"The store refused the work: {type(cause).__name__} ({state})."


def _fail(
    arguments: Sequence[str], message: str, *, reason: str, ids: Sequence[str | int], code: int
) -> None:
    line = " ".join(message.split())
    if "--json" in arguments:
        line = json.dumps({"error": line, "reason": reason, "ids": list(ids)}, ensure_ascii=False)
    click.echo(line, err=True)
    sys.exit(code)


@click.group("cdp", cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cdp")
def main() -> None:
    """Identity resolution for customer channels."""
