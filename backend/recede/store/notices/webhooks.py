"""The webhook and its outbox: every notice is written down before it is sent, and once.

What is to be sent follows from the jobs themselves (`collect`), so that a service which was off
misses nothing; a delivery is claimed before it is sent, so that of several services one sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from recede.contract.errors import Conflict
from recede.contract.measuring.accuracy import measured
from recede.contract.states import JobKind, State
from recede.store.database.clock import db_now, now
from recede.store.events import log
from recede.store.tables.notices import DeliveryRow, WebhookRow
from recede.store.tables.runs import JobRow, RunRow

SetBy = Literal["person", "environment"]
PAUSES_S = (10.0, 60.0, 300.0, 1800.0)
"""From one failed try to the next; after the last of them a delivery is given up."""
MOST_TRIES = len(PAUSES_S) + 1
CLAIM_S = 60.0
"""If a service dies while it sends, another one tries again after this time."""
_ONLY = 1
_EVENTS = {State.SUCCEEDED.value: "finished", State.FAILED.value: "failed"}


@dataclass(frozen=True)
class Outcome:
    """What came of one try; `again` if a later one may do better."""

    status: int | None = None
    error: str | None = None
    again: bool = False


def get(session: Session) -> WebhookRow | None:
    """Where notices are sent, None if they are not."""
    return session.get(WebhookRow, _ONLY)


def put(session: Session, url: str, *, set_by: SetBy = "person") -> WebhookRow:
    """Send notices of what ends or stalls from now on to this address.

    Raises:
        Conflict: the environment sets another address.
    """
    _refuse_if_fixed(session, set_by)
    row = get(session)
    if row is None:
        row = WebhookRow(id=_ONLY, url=url, set_by=set_by, since=now(session))
        session.add(row)
    row.url, row.set_by = url, set_by
    session.flush()
    log.append(session, "webhook", data={"on": True})
    return row


def remove(session: Session, *, set_by: SetBy = "person") -> None:
    """Send nothing any more, and nothing of what waits; raises Conflict as `put`."""
    _refuse_if_fixed(session, set_by)
    row = get(session)
    if row is None:
        return
    session.delete(row)
    waiting = update(DeliveryRow).where(DeliveryRow.next_try_at.is_not(None))
    session.execute(waiting.values(next_try_at=None, error="turned off before it was sent"))
    log.append(session, "webhook", data={"on": False})


def adopt(session: Session, url: str | None) -> None:
    """Follow the environment: its address comes before the user's and goes with it."""
    row = get(session)
    if url is not None:
        if row is None or (row.url, row.set_by) != (url, "environment"):
            put(session, url, set_by="environment")
    elif row is not None and row.set_by == "environment":
        remove(session, set_by="environment")


def _refuse_if_fixed(session: Session, set_by: SetBy) -> None:
    row = get(session)
    if row is not None and row.set_by == "environment" and set_by == "person":
        raise Conflict(
            "The webhook is set by RECEDE_WEBHOOK, so it cannot be changed here.",
            field="url",
            hint="Change or unset RECEDE_WEBHOOK where the service is started, and restart it.",
        )


def is_behind(session: Session) -> bool:
    """Whether `collect` would add something: a look that takes no lock."""
    hook = get(session)
    return hook is not None and session.execute(_unreported(hook).limit(1)).first() is not None


def collect(session: Session) -> None:
    """Record a notice for every training that has ended and was not reported."""
    hook = get(session)
    if hook is None:
        return
    for job, run in session.execute(_unreported(hook)).all():
        moment = job.finished_at or now(session)
        add(session, _EVENTS[job.state], job, run, moment=moment)


def add(session: Session, event: str, job: JobRow, run: RunRow, *, moment: float) -> None:
    """Write down one notice of a training."""
    _add(session, event, _body(event, job, run, moment), job=job, moment=moment)


def add_test(session: Session) -> int:
    """A notice that only tests the address: whoever asks sends it, once. Its id."""
    at = now(session)
    body = {"event": "test", "at": at, "text": "Recede: a test of this webhook."}
    row = _add(session, "test", body, moment=at)
    row.attempts, row.next_try_at = 1, None
    session.flush()
    return row.id


def _add(
    session: Session,
    event: str,
    body: dict[str, Any],
    *,
    moment: float,
    job: JobRow | None = None,
) -> DeliveryRow:
    row = DeliveryRow(
        event=event,
        run_id=None if job is None else job.run_id,
        job_id=None if job is None else job.id,
        moment=moment,
        body=body,
        next_try_at=moment,
    )
    session.add(row)
    session.flush()
    return row


def _unreported(hook: WebhookRow) -> Select[JobRow, RunRow]:
    reported = select(DeliveryRow.id).where(
        DeliveryRow.job_id == JobRow.id, DeliveryRow.event.in_([*_EVENTS.values()])
    )
    return (
        select(JobRow, RunRow)
        .join(RunRow, RunRow.id == JobRow.run_id)
        .where(
            JobRow.state.in_([*_EVENTS]),
            JobRow.kind == JobKind.TRAIN.value,
            JobRow.finished_at >= hook.since,
            ~reported.exists(),
        )
        .order_by(JobRow.id)
    )


def _body(event: str, job: JobRow, run: RunRow, moment: float) -> dict[str, Any]:
    error = job.error or {}
    accuracy = None
    if event == "finished" and run.test_correct is not None and run.n_test:
        found = measured(run.test_correct, run.n_test)
        accuracy = {"value": found.value, "n": found.n, "split": "test"}
    body = {
        "event": event,
        "run_id": run.id,
        "name": run.name,
        "state": job.state,
        "epochs_done": run.epochs_done,
        "epochs": run.spec["epochs"],
        "accuracy": accuracy,
        "reason": error.get("message"),
        "hint": error.get("hint"),
        "at": moment,
    }
    return {**body, "text": _text(body)}


def _text(body: dict[str, Any]) -> str:
    """The notice in one line, as chat services show it."""
    line = f"Recede: {body['name']} "
    if body["event"] == "stalled":
        return f"{line}has stalled; its last finished epoch is {body['epochs_done']}."
    if body["event"] == "failed":
        return f"{line}failed: {body['reason'] or 'no reason is known'}"
    accuracy = body["accuracy"]
    if accuracy is None:
        return f"{line}has finished."
    return f"{line}has finished: {accuracy['value']:.1%} of {accuracy['n']:,} test images."


def is_due(session: Session) -> bool:
    """Whether a delivery waits to be sent now."""
    return session.execute(_due().limit(1)).first() is not None


def claim(session: Session) -> DeliveryRow | None:
    """Take the oldest delivery that is due, so that no other service sends it meanwhile."""
    row = session.scalars(_due().order_by(DeliveryRow.id).limit(1)).first()
    if row is None:
        return None
    row.attempts += 1
    row.next_try_at = now(session) + CLAIM_S
    session.flush()
    return row


def record(session: Session, delivery_id: int, attempt: int, outcome: Outcome) -> DeliveryRow:
    """Write down what came of a try, and when the next one is due; of a test there is none.

    A try that was taken over by another service, or switched off meanwhile, sets no other time.
    """
    row = session.get_one(DeliveryRow, delivery_id)
    row.tried_at, row.status, row.error = now(session), outcome.status, outcome.error
    mine = row.attempts == attempt and row.next_try_at is not None
    if outcome.error is None:
        row.sent_at, row.next_try_at = row.tried_at, None
    elif mine and outcome.again and attempt < MOST_TRIES:
        row.next_try_at = row.tried_at + PAUSES_S[attempt - 1]
    elif mine:
        row.next_try_at = None
    session.flush()
    log.append(session, "webhook", data={"delivery": row.id})
    return row


def last_tried(session: Session) -> DeliveryRow | None:
    """The delivery that was tried last."""
    query = select(DeliveryRow).where(DeliveryRow.tried_at.is_not(None))
    return session.scalars(
        query.order_by(DeliveryRow.tried_at.desc(), DeliveryRow.id.desc()).limit(1)
    ).first()


def count_waiting(session: Session) -> int:
    """How many deliveries are still to be sent."""
    query = select(func.count()).where(DeliveryRow.next_try_at.is_not(None))
    return session.scalar(query) or 0


def _due() -> Select[DeliveryRow]:
    return select(DeliveryRow).where(DeliveryRow.next_try_at <= db_now())
