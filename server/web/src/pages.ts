/** What the pages do beyond HTML: figures that follow the phones, a chart over its table, small comforts. Without it every page still works. */

import { keepLive } from "./live";
import { comforts } from "./comforts";

/** ECharts is large and only the overview draws, so it is loaded when there is something to draw. */
async function drawCharts(): Promise<void> {
  const frames = document.querySelectorAll<HTMLElement>("[data-chart-of]");
  if (frames.length === 0) return;
  const { drawFromTable } = await import("./chart");
  for (const frame of frames) {
    const table = document.getElementById(frame.dataset["chartOf"] ?? "");
    if (table instanceof HTMLTableElement) drawFromTable(frame, table);
  }
}

comforts(document);
void drawCharts();
keepLive(() => void drawCharts());
