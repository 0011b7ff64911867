"""How much of a network can go, in both scopes, as far as a worker has found out."""

from __future__ import annotations

from sqlalchemy.orm import Session

from recede.contract.network.reach import NetworkRequest, Reach, Share
from recede.contract.schemas import ReachOut
from recede.contract.spec.catalog import Catalog
from recede.contract.spec.run import RunSpec
from recede.store.queue import reaches, workers

LOOKING = "Not known yet: a worker looks at the network."
NO_WORKER = "Not known yet: no worker runs that could look at the network."


def request_of(catalog: Catalog, spec: RunSpec) -> NetworkRequest | None:
    """The dense network of a checked spec; None of a cut one, which is known already."""
    if spec.init is not None and spec.init.plan is not None:
        return None
    dataset = catalog.dataset(spec.dataset).resolved(spec.dataset_params)
    return NetworkRequest(
        architecture=spec.architecture,
        params=dict(spec.architecture_params),
        in_channels=dataset.channels,
        image_size=dataset.image_size,
        classes=dataset.classes,
    )


def of(session: Session, request: NetworkRequest, spec: RunSpec) -> ReachOut:
    """Both shares, or in words why they are not known yet."""
    row = reaches.known(session, request)
    if row is not None and row.refused is not None:
        return ReachOut(words=row.refused)
    if row is not None and row.reach is not None:
        reach = Reach.model_validate(row.reach)
        return ReachOut(words=in_words(reach, spec), inner=reach.inner, all=reach.all)
    is_served = any(age_s < workers.STALE_S for _, age_s in workers.all_workers(session))
    return ReachOut(words=LOOKING if is_served else NO_WORKER, pending=is_served)


def in_words(reach: Reach, spec: RunSpec) -> str:
    """The share of the scope that was chosen, then that of the other where it differs."""
    shares: dict[str, Share] = {"inner": reach.inner, "all": reach.all}
    chosen = shares.pop(spec.prunable)
    ((name, other),) = shares.items()
    if chosen == other:
        return f"{_most(chosen)} can go."
    return f"{_most(chosen)} can go with “{spec.prunable}”, as chosen. With “{name}”: {other}."


def _most(share: Share) -> str:
    return "Nothing" if share.is_nothing else f"At most {share}"
