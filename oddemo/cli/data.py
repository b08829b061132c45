"""`oddemo data …`: the commands on datasets, one module each."""

from __future__ import annotations

import typer

from oddemo.cli import data_check, data_import, data_make

app = typer.Typer(help="Make, import and check datasets.", no_args_is_help=True)
app.command("make", epilog=data_make.EPILOG)(data_make.make)
app.command("import", epilog=data_import.EPILOG)(data_import.import_)
app.command("check", epilog=data_check.EPILOG)(data_check.check)
