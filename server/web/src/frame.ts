/** A chart's frame: begun once, drawn again as often as its table changes, as wide as its place. */

import { init, type ECharts } from "echarts/core";

const drawn = new WeakMap<HTMLElement, ECharts>();

/** The chart of `frame`; `begin` is for what is done once. */
export function chartIn(frame: HTMLElement, begin: (chart: ECharts) => void = () => undefined): ECharts {
  const known = drawn.get(frame);
  if (known) return known;
  const chart = init(frame, null, { renderer: "svg" });
  drawn.set(frame, chart);
  new ResizeObserver(() => chart.resize()).observe(frame);
  begin(chart);
  return chart;
}
