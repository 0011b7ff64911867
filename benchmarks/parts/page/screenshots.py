"""The pictures of README and docs/tour.md, taken from real runs in a real chromium.

    make screenshots   (python -m benchmarks.parts.page.screenshots [--data DIR] [--only NAME …])

Trains the demo, a fine-tuned cut of it and three small runs (about five minutes on two cores),
opens the pages as a person would, and writes palette PNGs of 1280 × 800 points into docs/images.
With --data the runs are kept there and found again.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.parts.page.shown_runs import Shown, settled, shown_runs
from benchmarks.parts.service import service
from recede.client import RecedeClient

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "images"
WIDTH, HEIGHT, SCALE = 1280, 800, 1.5
COLOURS = 256
PATIENCE_MS = 240_000
LIVE = "Receding, seed 2"
LIVE_EPOCH = 5
"""The training in the picture has come as far as this."""
SETTLED_MS = 600
"""For what fades and slides."""


@dataclass(frozen=True)
class Shot:
    """One picture: its file, what opens it, and the colours it is taken in."""

    name: str
    open: Callable[[Page, RecedeClient, Shown], None]
    schemes: tuple[str, ...] = ("light",)
    height: int = HEIGHT

    def file(self, scheme: str) -> str:
        """Name of the picture; one that there is in both schemes says which it is."""
        return f"{self.name}-{scheme}.png" if len(self.schemes) > 1 else f"{self.name}.png"


def _explore(page: Page, run_id: str, query: str) -> None:
    page.goto(f"/runs/{run_id}?tab=explore&{query}")
    page.wait_for_selector('#explore-root [data-state="ready"]')
    page.wait_for_function("() => document.querySelector('#cost-params')?.dataset.value")
    page.wait_for_load_state("networkidle")


def _explorer(page: Page, _client: RecedeClient, runs: Shown) -> None:
    _explore(page, runs.demo.id, "r=0.5")
    page.get_by_role("button", name="Natural gap").click()


def _training(page: Page, client: RecedeClient, runs: Shown) -> None:
    """A training that is going on: started for the picture and deleted after it."""
    spec = runs.compared[0].spec.model_copy(update={"name": LIVE, "seed": 2})
    live = client.create_run(spec).run
    page.goto(f"/runs/{live.id}?tab=training")
    page.wait_for_function(
        "(least) => parseInt(document.querySelector('#tile-epoch')?.textContent) >= least",
        arg=LIVE_EPOCH,
        timeout=PATIENCE_MS,
    )
    page.wait_for_selector("#accuracy-chart .main-svg")


def _receding(page: Page, _client: RecedeClient, runs: Shown) -> None:
    epoch = max(1, runs.demo.spec.epochs // 2)
    _explore(page, runs.demo.id, f"epoch={epoch}&axis=logit&view=heat")


def _cut(page: Page, _client: RecedeClient, runs: Shown) -> None:
    """The slider, moved with the keys to nearly half of the neurons."""
    _explore(page, runs.demo.id, "r=0.45")
    page.get_by_test_id("ratio-slider").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")


def _target(page: Page, _client: RecedeClient, runs: Shown) -> None:
    _explore(page, runs.demo.id, "r=0.1&view=pareto")
    page.get_by_test_id("target-kind").select_option("macs")
    page.get_by_test_id("target-input").fill("40")
    page.get_by_test_id("target-input").press("Enter")


def _map(page: Page, _client: RecedeClient, runs: Shown) -> None:
    _explore(page, runs.demo.id, "r=0.5&view=map")


def _compare(page: Page, _client: RecedeClient, runs: Shown) -> None:
    ids = ",".join(run.id for run in runs.compared)
    page.goto(f"/compare?runs={ids}&r=0.5")
    page.wait_for_selector('[data-testid="compare-root"][data-state="ready"]')


def _prune(page: Page, _client: RecedeClient, runs: Shown) -> None:
    _explorer(page, _client, runs)
    page.get_by_test_id("prune-button").click()
    page.wait_for_selector('[data-testid="prune-sha256"]:not(:empty)', timeout=PATIENCE_MS)


def _tuned(page: Page, _client: RecedeClient, runs: Shown) -> None:
    page.goto(f"/runs/{runs.tuned.id}?tab=training")
    page.wait_for_selector("#accuracy-chart .main-svg")


def _files(page: Page, _client: RecedeClient, runs: Shown) -> None:
    page.goto(f"/runs/{runs.demo.id}?tab=files")
    page.wait_for_selector('[data-testid="checkpoint-pruned"]')


SHOTS = (
    Shot("explorer", _explorer, ("light", "dark")),
    Shot("tour-train", _training),
    Shot("tour-recede", _receding),
    Shot("tour-cut", _cut),
    Shot("tour-map", _map),
    Shot("tour-target", _target),
    Shot("tour-compare", _compare),
    Shot("tour-prune", _prune, height=1080),
    Shot("tour-tune", _tuned),
    Shot("tour-files", _files),
)


def main() -> None:
    """Make the runs and take the pictures."""
    options = _options()
    with ExitStack() as stack:
        data = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        client = stack.enter_context(service(data))
        runs = shown_runs(client)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        stack.callback(browser.close)
        FOLDER.mkdir(exist_ok=True)
        for shot in SHOTS:
            if not options.only or shot.name in options.only:
                _take(browser, client, runs, shot)
        _tidy(client)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder to keep the runs in")
    parser.add_argument("--only", nargs="*", choices=[shot.name for shot in SHOTS])
    return parser.parse_args()


def _take(browser: Browser, client: RecedeClient, runs: Shown, shot: Shot) -> None:
    for scheme in shot.schemes:
        context = browser.new_context(
            viewport={"width": WIDTH, "height": shot.height},
            device_scale_factor=SCALE,
            base_url=str(client.url),
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        shot.open(page, client, runs)
        page.wait_for_selector('#worker-status[data-state="good"]')
        page.mouse.move(1, 1)
        page.evaluate("() => document.activeElement?.blur()")
        page.wait_for_timeout(SETTLED_MS)
        path = FOLDER / shot.file(scheme)
        path.write_bytes(_small(page.screenshot()))
        context.close()
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)


def _small(png: bytes) -> bytes:
    """The same picture with a palette: charts and text need few colours."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    quantised = image.quantize(
        COLOURS, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE
    )
    written = io.BytesIO()
    quantised.save(written, "PNG", optimize=True)
    return written.getvalue()


def _tidy(client: RecedeClient) -> None:
    """Stop what was started for a picture alone."""
    for run in client.runs(limit=200).items:
        if run.name != LIVE:
            continue
        if not run.state.is_final:
            client.cancel_run(run.id)
        settled(client, run.id)
        client.delete_run(run.id)


if __name__ == "__main__":
    main()
