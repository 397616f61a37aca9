"""Notes that people put on the curve of a sign: what they know and no sensor tells."""

from __future__ import annotations

from datetime import datetime

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.ids import ulid, urn
from chengmai.kernel.instants import format_instant
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import entity, prop, rel
from chengmai.ngsild.model import Model
from chengmai.trust.policy import allow
from chengmai.vitals.problems import NoteInvalid, VitalNotFound

MOST_WORDS = 500


class Notes:
    """Writes notes."""

    def __init__(self, work: Work[Tx], model: Model, clock: Clock) -> None:
        self._work, self._model, self._clock = work, model, clock

    async def write(self, actor: Actor, vital_id: str, words: str, at: datetime) -> str:
        """Keep a note about a sign at an instant, and return the id of its entity `VitalNote`.

        Raises `VitalNotFound`, or `NoteInvalid` for no words, too many, or an instant that has not come.
        """
        allow(actor, "vitals.note")
        text = words.strip()
        if not text or len(text) > MOST_WORDS:
            raise NoteInvalid(
                f"a note has 1 to {MOST_WORDS} characters",
                param="note",
                fix="say what happened, in a sentence",
            )
        now = self._clock.now()
        if at > now:
            raise NoteInvalid(
                "the instant has not come yet",
                code="vitals.note_future",
                param="at",
                fix="give when it happened",
            )

        def write(tx: Tx) -> str:
            vital = self._model.get(tx, actor.tenant, vital_id)
            if vital is None or not any(t.endswith("/VitalSign") for t in vital["type"]):
                raise VitalNotFound(vital_id)
            note = entity(
                urn("VitalNote", ulid(now)),
                "VitalNote",
                refVital=rel(vital_id),
                noteText=prop(text),
                notedFor=prop(format_instant(at)),
                author=prop(actor.name),
                authorId=prop(actor.id),
                writtenAt=prop(format_instant(now)),
            )
            self._model.put(tx, note, by=actor, note="wrote a note on a vital sign")
            return str(note["id"])

        return await self._work.write(write)
