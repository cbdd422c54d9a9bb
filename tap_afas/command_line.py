"""What the tap does with its command line, in place of what the SDK does."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from typing import IO, TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.tap_base import CliTestOptionValue

from tap_afas.input_files import read_catalog, read_state
from tap_afas.inputs import SettingsError, read_settings
from tap_afas.settings import learn_secrets

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from types import FrameType
    from typing import Self

    from tap_afas.ending import Ending


class CommandLine(Tap):
    """A tap as its command makes and runs it.

    Attributes:
        ending: How the process ends.
    """

    command_ending: ClassVar[Ending | None] = None
    """How the command ends that makes the tap, if one does."""

    ending: Ending
    _interrupted = False

    def run(self, most_rows: int | None = None) -> None:
        """Sync the selected streams.

        Args:
            most_rows: How many rows of each stream are wanted at most.
        """
        raise NotImplementedError

    def interrupt(self, signum: int) -> bool:
        """Stop after the page at hand; False when nothing is being read.

        Args:
            signum: By which signal.
        """
        raise NotImplementedError

    @override
    def _setup_signal_handlers(self) -> None:
        super()._setup_signal_handlers()
        # Where the terminal is closed; who started this by `nohup` has it ignored.
        hung_up = getattr(signal, "SIGHUP", None)
        main = threading.current_thread() is threading.main_thread()
        if main and hung_up is not None and signal.getsignal(hung_up) == signal.SIG_DFL:
            signal.signal(hung_up, self._handle_termination)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK exits with 0, and a run that was cut off would count as complete. A second signal doesn't wait for
        # the page at hand.
        if self._interrupted:
            self.ending.end_at_once(128 + signum)
        if not self.interrupt(signum):
            sys.exit(128 + signum)
        self._interrupted = True
        if self.ending is self.command_ending:
            self.ending.end_soon(128 + signum)

    @override
    @classmethod
    def invoke(  # type: ignore[override]  # `config` is what `cb_config` makes, not names of files
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """What the command line calls: like the SDK's, but the streams run side by side."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        tap = cls._made(
            config,
            state=read_state(state) if state else {},
            catalog=read_catalog(catalog) if catalog else None,
        )
        # What is loaded by now stays: the collector needn't look through it again with every page.
        gc.freeze()
        tap.run()

    @classmethod
    def _made(cls, config: Any, **options: Any) -> Self:
        """The tap that a command is about, and so has a last line.

        Raises:
            SettingsError: The settings can't be used.
        """
        try:
            return cls(config=config.config if config else {}, **options)
        except ConfigValidationError as error:
            # The SDK would say more about it, and end in its own way.
            raise SettingsError(error.errors) from None

    @override
    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        """Discover, where `--discover` is given."""
        if value:
            cls._made(ctx.params.get("config"), setup_mapper=False).run_discovery()
            ctx.exit()

    @override
    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Read a row of each stream, where `--test` is given: like a run, so that no failure hides another."""
        if value == CliTestOptionValue.Disabled.value:
            return
        known = [CliTestOptionValue.All.value, CliTestOptionValue.Schema.value]
        if value not in known:
            # A run would follow that nobody asked for.
            shown = ", ".join(map(repr, known))
            raise click.BadParameter(f"{value!r} is not one of {shown}.", ctx, param)
        tap = cls._made(ctx.params.get("config"))
        tap.write_schemas() if value == CliTestOptionValue.Schema.value else tap.run(most_rows=1)
        ctx.exit()

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read `--config`: files, and `ENV` for the environment."""
        cls.append_builtin_config(cls.config_jsonschema)
        given = read_settings(value, cls.config_jsonschema)
        # Before what else is read, and may hold one of them, is complained of.
        learn_secrets(given)
        # The SDK would read the environment with another parser, which knows no sentences.
        config = super().cb_config(ctx, param, ())
        config.config.update(given)
        return config
