/** The villages as tiles grouped by town, coloured by the number that the table beside them shows; a tile opens its village. */

import { TreemapChart } from "echarts/charts";
import { AriaComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import { use, type EChartsCoreOption } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

import { chartIn } from "./frame";

use([TreemapChart, TooltipComponent, VisualMapComponent, AriaComponent, SVGRenderer]);

interface Tile {
  town: string;
  name: string;
  shown: string;
  value: number | null;
  link: string;
}

/** One hue from light to dark: it reads the same without colour vision, and printed. */
const SCALE = ["#e3eef8", "#b3cfe8", "#7aabd4", "#3d7fb5", "#17507f", "#08263f"];
const NONE = "#cfd4da";
const LABEL_ON_DARK_FROM = 3;
const NAMED_TILES_MAX = 60; // more are too small for their names
const WHOLE_FROM = 50; // shares that stay below are told apart by their own largest

/** Rows of `table`: town, village with its link, number with `data-value`. */
export function drawMap(frame: HTMLElement, table: HTMLTableElement): void {
  const tiles = [...table.tBodies[0]!.rows].map(tile);
  frame.hidden = tiles.length === 0;
  const fresh = chartIn(frame, (chart) =>
    chart.on("click", (event) => {
      const link = (event.data as { link?: string } | undefined)?.link;
      if (link) location.assign(link);
    }),
  );
  fresh.setOption(option(tiles, table, frame.dataset["none"] ?? ""), true);
}

function tile(row: HTMLTableRowElement): Tile {
  const [town, village, number] = row.cells;
  const text = number?.dataset["value"] ?? "";
  return {
    town: town?.textContent?.trim() ?? "",
    name: village?.textContent?.trim() ?? "",
    shown: number?.textContent?.trim() ?? "",
    value: text === "" ? null : Number(text),
    link: village?.querySelector("a")?.href ?? "",
  };
}

/** The ends of six classes: fifths and more of a whole for shares, round steps up to the largest for counts. */
function steps(tiles: Tile[], percent: boolean): number[] {
  const most = Math.max(1, ...tiles.map((each) => each.value ?? 0));
  if (percent && most >= WHOLE_FROM) return [20, 40, 60, 80, 95];
  const raw = most / SCALE.length;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(most > SCALE.length ? 1 : 0.1, [1, 2, 2.5, 5, 10].map((each) => each * magnitude).find((each) => each >= raw) ?? raw);
  return [1, 2, 3, 4, 5].map((each) => Number((each * step).toFixed(4)));
}

function classOf(value: number, ends: number[]): number {
  const at = ends.findIndex((end) => value < end);
  return at < 0 ? ends.length : at;
}

function option(tiles: Tile[], table: HTMLTableElement, none: string): EChartsCoreOption {
  const percent = table.dataset["percent"] !== undefined;
  const ends = steps(tiles, percent);
  const unit = percent ? "%" : "";
  const towns = [...new Set(tiles.map((each) => each.town))].sort();
  return {
    animation: false,
    textStyle: { fontFamily: "inherit" },
    aria: { enabled: true, label: { description: table.caption?.textContent?.trim() ?? "" } },
    tooltip: { formatter: (hit: { data?: { words?: string } }) => escaped(hit.data?.words ?? "") },
    visualMap: {
      type: "piecewise",
      show: true,
      orient: "horizontal",
      left: 0,
      bottom: 0,
      itemWidth: 14,
      itemHeight: 12,
      itemGap: 6,
      textGap: 3,
      selectedMode: false,
      dimension: 1,
      textStyle: { color: "#35414f", fontSize: 11 },
      pieces: [
        ...SCALE.map((color, at) => ({
          value: at,
          color,
          label: at === 0 ? `< ${ends[0]}${unit}` : at === ends.length ? `≥ ${ends[at - 1]}${unit}` : `${ends[at - 1]}–${ends[at]}${unit}`,
        })),
        ...(tiles.some((each) => each.value === null) ? [{ value: -1, color: NONE, label: none }] : []),
      ],
    },
    series: [
      {
        type: "treemap",
        left: 0,
        right: 0,
        top: 0,
        bottom: 56,
        roam: false,
        nodeClick: false,
        breadcrumb: { show: false },
        visualDimension: 1,
        visibleMin: 0,
        childrenVisibleMin: 0,
        levels: [
          { itemStyle: { gapWidth: 4, borderWidth: 0 } },
          { itemStyle: { gapWidth: 1, borderWidth: 1, borderColor: "#ffffff" }, upperLabel: { show: true, height: 20, color: "#1b2430", fontSize: 12, overflow: "truncate" } },
          { itemStyle: { gapWidth: 1 } },
        ],
        label: { show: tiles.length <= NAMED_TILES_MAX, fontSize: 11, overflow: "truncate", padding: 2 },
        data: towns.map((town) => {
          const inside = tiles.filter((each) => each.town === town);
          return {
            name: town,
            value: [inside.length, -2],
            words: town,
            itemStyle: { color: "#ffffff" },
            children: inside.map((each) => leaf(each, ends)),
          };
        }),
      },
    ],
  };
}

function leaf(each: Tile, ends: number[]): object {
  const at = each.value === null ? -1 : classOf(each.value, ends);
  return {
    name: each.name,
    value: [1, at],
    link: each.link,
    words: `${each.town}　${each.name}　${each.shown}`,
    itemStyle: { color: at < 0 ? NONE : SCALE[at] },
    label: { color: at >= LABEL_ON_DARK_FROM ? "#ffffff" : "#1b2430" },
  };
}

function escaped(text: string): string {
  const box = document.createElement("span");
  box.textContent = text;
  return box.innerHTML;
}
