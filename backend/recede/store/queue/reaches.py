"""Networks whose reach is asked for before a run is queued, and what workers answer."""

from __future__ import annotations

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from recede.contract.network.reach import NetworkRequest, Reach
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.tables.reaches import ReachRow

WAITS_S = 600.0
"""A question that nobody repeated for this long is no longer answered."""
FRESH_S = 300.0
"""An older answer is shown, but looked for again: the network's code may have changed."""
_KEEP_S = 30 * 86_400.0


def known(session: Session, request: NetworkRequest) -> ReachRow | None:
    """What is known of this network; None if nobody asked."""
    return session.get(ReachRow, request.key)


def is_due(session: Session, request: NetworkRequest) -> bool:
    """Whether to ask: nobody has, or not lately, or the answer is old."""
    recent = or_(
        ReachRow.answered_at > db_now() - FRESH_S,
        ReachRow.answered_at.is_(None) & (ReachRow.asked_at > db_now() - WAITS_S / 2),
    )
    query = select(ReachRow.key).where(ReachRow.key == request.key, recent)
    return session.scalars(query).one_or_none() is None


def ask(session: Session, request: NetworkRequest) -> None:
    """Have a worker look at this network; an answer that is known stays until then."""
    session.execute(delete(ReachRow).where(ReachRow.asked_at < db_now() - _KEEP_S))
    if session.get(ReachRow, request.key) is None:
        row = ReachRow(key=request.key, request=request.model_dump(mode="json"))
        row.asked_at = session.scalars(select(db_now())).one()
        session.add(row)
        session.flush()
        return
    session.execute(
        update(ReachRow)
        .where(ReachRow.key == request.key)
        .values(asked_at=db_now(), answered_at=None)
    )


def next_question(session: Session) -> NetworkRequest | None:
    """The network that was asked about last and is not answered: whoever asked looks at it now."""
    query = (
        select(ReachRow.request)
        .where(ReachRow.answered_at.is_(None), ReachRow.asked_at > db_now() - WAITS_S)
        .order_by(ReachRow.asked_at.desc(), ReachRow.key)
        .limit(1)
    )
    found = session.scalars(query).one_or_none()
    return None if found is None else NetworkRequest.model_validate(found)


def answer(
    session: Session,
    request: NetworkRequest,
    *,
    reach: Reach | None = None,
    refused: str | None = None,
) -> None:
    """Keep what was found, or why nothing of it can be cut; who waits for it is woken."""
    session.execute(
        update(ReachRow)
        .where(ReachRow.key == request.key)
        .values(
            answered_at=db_now(),
            reach=None if reach is None else reach.model_dump(mode="json"),
            refused=refused,
        )
    )
    log.append(session, "reach", data={"key": request.key, "architecture": request.architecture})
