"""Where weights that a library publishes lie, and what their outputs are called."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One file of weights: at an address, or in a repository of the Hugging Face hub."""

    file: str
    """Its name below a data root, where it is looked for first."""
    licence: str
    """As the library states it; empty if it states none."""
    outputs: tuple[str, ...] | None
    """Names of the outputs in their order, if the library knows them."""
    url: str | None = None
    repository: str | None = None
    """`owner/name`, with `@revision` if it is not the newest."""

    @property
    def origin(self) -> str:
        """Where it is from, in words."""
        return self.url or f"the repository {self.repository} of the Hugging Face hub"
