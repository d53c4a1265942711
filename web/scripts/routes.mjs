// The pages that can be somebody's first, what each loads, and how much that may be.
//
// The goal is 450 kB for every page, charts apart, and 250 kB more for charts, as they are sent to a
// browser that knows brotli. The limits hold what has been reached: each is a little above it and
// goes down with it. Four pages of pipelines are above the goal since they can do more: the tabs Source,
// Transform and Sinks, and making a pipeline.

/**
 * Each kind of page with the parts of the program that it loads (`web/src/parts/split.rs`), and how
 * much it matters that they are small: pages that have a lot to load count more, those that are
 * well below the goal less.
 */
export const routes = [
  { name: "/", parts: ["home"], weight: 0.5, limitKb: 420 },
  { name: "/login, /signup, /settings", parts: ["account"], weight: 0.4, limitKb: 449 },
  { name: "/dashboards", parts: ["dashboards"], weight: 0.5, limitKb: 420 },
  { name: "/dashboards/…", parts: ["dashboard"], weight: 2, limitKb: 435 },
  { name: "/pipelines", parts: ["pipelines"], weight: 1.5, limitKb: 440 },
  { name: "/pipelines/…", parts: ["pipeline", "activity"], weight: 4, limitKb: 470 },
  { name: "/pipelines/…/source", parts: ["pipeline", "source"], weight: 3, limitKb: 490 },
  { name: "/pipelines/…/transform", parts: ["pipeline", "transform"], weight: 4, limitKb: 490 },
  { name: "/pipelines/…/sinks", parts: ["pipeline", "sinks"], weight: 4, limitKb: 515 },
  { name: "/pipelines/…/errors", parts: ["pipeline", "failures"], weight: 2, limitKb: 455 },
  { name: "/pipelines/…/versions", parts: ["pipeline", "versions"], weight: 2, limitKb: 450 },
  { name: "/pipelines/…/settings", parts: ["pipeline", "configure"], weight: 1, limitKb: 449 },
  { name: "/pipelines/new/…", parts: ["new_pipeline"], weight: 4, limitKb: 500 },
  { name: "/styleguide", parts: ["styleguide"], weight: 0.3, limitKb: 449 },
];

/** What a page loads once it is there: the page's parts, and those that come later. */
export const later = [
  { name: "charts", parts: ["dashboard", "charts"], weight: 2, limitKb: 220 },
  { name: "more options of a polled source", parts: ["new_pipeline", "polling"], weight: 0.3 },
  { name: "changing a transform", parts: ["transform", "bench"], weight: 0.5 },
  { name: "previewing a transform", parts: ["transform", "engine"], weight: 0.2, limitKb: 250 },
  { name: "trying a transform", parts: ["transform", "trials"], weight: 0.3 },
  { name: "changing a dashboard", parts: ["dashboard", "tools"], weight: 0.3 },
  { name: "who may send to a webhook", parts: ["pipeline", "source", "senders"], weight: 0.3 },
  { name: "handing files over", parts: ["pipeline", "source", "handover"], weight: 0.3 },
  { name: "what is opened with a shortcut", parts: ["home", "extras"], weight: 0.2 },
];
