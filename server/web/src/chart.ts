/** A chart drawn from the table below it, so that eyes and screen readers get the same numbers. */

import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, TooltipComponent } from "echarts/components";
import { use, type EChartsCoreOption } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

import { chartIn } from "./frame";

use([LineChart, BarChart, GridComponent, TooltipComponent, AriaComponent, SVGRenderer]);

interface Point {
  day: string;
  shown: string;
  value: number | null;
}

/** Rows of `table` carry `data-value` on their number cell; `data-percent` on the table says that values are percentages. */
export function drawFromTable(frame: HTMLElement, table: HTMLTableElement): void {
  const points = [...table.tBodies[0]!.rows].map(point);
  frame.hidden = points.length === 0;
  chartIn(frame).setOption(option(points, table), true);
}

function point(row: HTMLTableRowElement): Point {
  const number = row.cells[1];
  const text = number?.dataset["value"] ?? "";
  return { day: row.cells[0]?.textContent?.trim() ?? "", shown: number?.textContent?.trim() ?? "", value: text === "" ? null : Number(text) };
}

function option(points: Point[], table: HTMLTableElement): EChartsCoreOption {
  const percent = table.dataset["percent"] !== undefined;
  const style = getComputedStyle(document.documentElement);
  const accent = style.getPropertyValue("--accent").trim();
  const soft = style.getPropertyValue("--ink-soft").trim();
  return {
    animation: false,
    textStyle: { fontFamily: "inherit" },
    grid: { left: 8, right: 16, top: 16, bottom: 4, containLabel: true },
    aria: { enabled: true, label: { description: table.caption?.textContent?.trim() ?? "" } },
    tooltip: {
      trigger: "axis",
      formatter: (hits: { dataIndex: number }[]) => tooltip(points[hits[0]?.dataIndex ?? 0]),
    },
    xAxis: {
      type: "category",
      data: points.map((each) => each.day),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: "#b4bfcc" } },
      axisLabel: { color: soft, hideOverlap: true },
    },
    yAxis: {
      type: "value",
      ...(percent ? { max: 100, min: 0 } : { minInterval: 1 }),
      splitLine: { lineStyle: { color: "#e8ecf0" } },
      axisLabel: { color: soft, formatter: (value: number) => (percent ? `${value}%` : value.toLocaleString("en-US")) },
    },
    series: [
      percent
        ? { type: "line", data: points.map((each) => each.value), symbolSize: 7, itemStyle: { color: accent }, lineStyle: { width: 2 }, areaStyle: { opacity: 0.08 } }
        : { type: "bar", data: points.map((each) => each.value), itemStyle: { color: accent, borderRadius: [2, 2, 0, 0] }, barMaxWidth: 26 },
    ],
  };
}

function tooltip(each: Point | undefined): string {
  const box = document.createElement("span");
  box.textContent = each ? `${each.day}　${each.shown}` : "";
  return box.innerHTML;
}
