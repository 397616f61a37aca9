"""The room put together: what watches, what is decided, what is sent, what is tried."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from chengmai.kernel.clock import Clock
from chengmai.kernel.events import Events
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.model import Model
from chengmai.packs.rules import RuleSpec
from chengmai.rules.book import RuleBook
from chengmai.rules.ledger import Ledger
from chengmai.rules.model import Command
from chengmai.rules.ports import Channels, RulePast, RuleStore
from chengmai.rules.sending import Sender
from chengmai.rules.service import RuleService
from chengmai.rules.trial import Trying
from chengmai.rules.trials import Trials
from chengmai.rules.watching import Watcher


class RulesRoom:
    """`load` brings it up to date; `watcher.run` and `sender.run` set it going; `stop` ends it."""

    def __init__(
        self,
        work: Work[Tx],
        model: Model,
        store: RuleStore,
        past: RulePast,
        channels: Channels,
        events: Events,
        core: Context,
        clock: Clock,
        zone: tzinfo,
        shipped: Sequence[tuple[str, RuleSpec]],
        tenant: str,
    ) -> None:
        book = RuleBook()
        self.channels = channels
        self.ledger = Ledger(store, model, events, self._on_command)
        self.watcher = Watcher(work, model, store, past, book, self.ledger, core, clock)
        self.sender = Sender(work, model, store, self.ledger, self.watcher, channels, clock)
        self.service = RuleService(
            work, model, store, past, book, self.ledger, self.watcher, core, shipped, tenant
        )
        self.trying = Trying(work, past, core, zone)
        self.trials = Trials(self.trying, clock)

    async def load(self) -> None:
        """Bring the rules of the packs up to date and watch by all that are on."""
        await self.service.load()

    async def stop(self) -> None:
        """Stop trials and sending, and close what is open."""
        await self.trials.stop()
        await self.sender.stop()
        await self.channels.close()

    def _on_command(self, command: Command) -> None:
        self.watcher.on_command(command)
        self.sender.on_command(command)
