// The binding between the web client and ECharts. The client builds every option as JSON (charming)
// and owns the figures' format; this module owns the ECharts instance, its size and its end.
// Only what a line chart needs is imported: a new chart kind adds its module to `use`.
//
// The canvas renderer is the smaller of the two (152 KB against 155 KB, brotli) and the quicker one
// where twenty widgets redraw several times a second.

import { LineChart } from "echarts/charts";
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
} from "echarts/components";
import { init, use } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";

use([
  AriaComponent,
  CanvasRenderer,
  GridComponent,
  LabelLayout,
  LegendComponent,
  LineChart,
  TooltipComponent,
]);

const stillness = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Draws a chart into `element` and returns its handle.
 *
 * `optionJson` and `themeJson` are an ECharts option and theme as JSON. `format`, where given, turns
 * a number into the text shown on value axes and in tooltips, so that a chart and the figures
 * beside it read alike. The chart follows the size of its element by itself.
 */
export function create(element, optionJson, themeJson, format) {
  const chart = init(element, themeJson ? JSON.parse(themeJson) : undefined);
  const resize = () => chart.isDisposed() || chart.resize();
  const watcher = new ResizeObserver(() => requestAnimationFrame(resize));
  let shown;
  const setOption = (json) => {
    shown = prepare(JSON.parse(json), format);
    chart.setOption(shown, { replaceMerge: ["series"] });
  };

  setOption(optionJson);
  watcher.observe(element);
  if (element.closest("[data-picks]")) {
    listenForPicks(chart, element, () => list(shown.series));
  }

  return {
    setOption,
    setTheme: (json) => chart.setTheme(JSON.parse(json)),
    resize,
    dispose() {
      watcher.disconnect();
      chart.dispose();
    },
  };
}

/** How near to a line's point a click has to be, in pixels, to mean that line. */
const NEAR_PX = 24;

/**
 * Tells the element which point is clicked, as an event "pick" that bubbles: the point's time, and
 * the name of its line where the click is near one. A finger only asks for the tooltip.
 */
function listenForPicks(chart, element, series) {
  const canvas = chart.getZr();
  const isInside = ({ offsetX, offsetY }) =>
    chart.containPixel({ gridIndex: 0 }, [offsetX, offsetY]);
  canvas.on("mousemove", (event) => isInside(event) && canvas.setCursorStyle("pointer"));
  canvas.on("click", (event) => {
    if (event.zrByTouch || !isInside(event)) {
      return;
    }
    const { offsetX: x, offsetY: y } = event;
    const distance = (pixel, index) =>
      pixel ? Math.abs(pixel[index] - [x, y][index]) : Infinity;
    const points = series().flatMap(({ name, data }, seriesIndex) =>
      data.map(({ value }) => ({
        name,
        value,
        pixel: chart.convertToPixel({ seriesIndex }, [value[0], value[1] ?? 0]),
      })),
    );
    const nearest = least(points, ({ pixel }) => distance(pixel, 0));
    if (!nearest) {
      return;
    }
    const time = nearest.value[0];
    const beside = points.filter(({ value }) => value[0] === time && value[1] != null);
    const line = least(beside, ({ pixel }) => distance(pixel, 1));
    const isNear = line && distance(line.pixel, 1) <= NEAR_PX;
    const detail = { time, series: isNear ? line.name : undefined };
    chart.dispatchAction({ type: "hideTip" });
    element.dispatchEvent(new CustomEvent("pick", { bubbles: true, detail }));
  });
}

/** The item of which `size` is the smallest. */
function least(items, size) {
  return items.reduce((best, item) => (best && size(best) <= size(item) ? best : item), undefined);
}

/** Adds to an option what JSON cannot carry, and what keeps an update from starting over. */
function prepare(option, format) {
  // A series that keeps its id slides to its new points; without one it is drawn anew.
  list(option.series).forEach((series, index) => {
    series.id ??= series.name ?? `series-${index}`;
  });
  if (stillness.matches) {
    option.animation = false;
  }
  if (typeof format === "function") {
    // A gap in a series reaches the tooltip as null or "-".
    const text = (value) => (typeof value === "number" ? format(value) : "–");
    list(option.yAxis).forEach((axis) => {
      axis.axisLabel = { ...axis.axisLabel, formatter: text };
    });
    list(option.tooltip).forEach((tooltip) => {
      tooltip.valueFormatter = text;
    });
  }
  return option;
}

function list(value) {
  return value === undefined ? [] : [value].flat();
}
