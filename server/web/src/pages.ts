/** What the pages do beyond HTML: figures that follow the phones, a chart over its table, small comforts. Without it every page still works. */

import { keepLive } from "./live";
import { comforts } from "./comforts";

/** ECharts is large and only the overview draws, so it is loaded when there is something to draw. */
async function drawCharts(): Promise<void> {
  await draw("chartOf", async () => (await import("./chart")).drawFromTable);
  await draw("mapOf", async () => (await import("./map")).drawMap);
}

async function draw(of: string, load: () => Promise<(frame: HTMLElement, table: HTMLTableElement) => void>): Promise<void> {
  const frames = [...document.querySelectorAll<HTMLElement>(".chart")].filter((frame) => frame.dataset[of] !== undefined);
  if (frames.length === 0) return;
  const drawer = await load();
  for (const frame of frames) {
    const table = document.getElementById(frame.dataset[of] ?? "");
    if (table instanceof HTMLTableElement) drawer(frame, table);
  }
}

comforts(document);
void drawCharts();
keepLive(() => void drawCharts());
