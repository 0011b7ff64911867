/** Compare's figures as files: the chart with its series and signs in words, its data as a table. */

import { saveMenu } from "../../charts/saving.js";

const ROW_PX = 20;

/** The chart as it is drawn now, below it what each series and sign is. */
function withLegend({ data, layout, keys }) {
  const below = ROW_PX * keys.length + 14;
  const { height, margin } = layout;
  const inner = height - margin.t - margin.b;
  return {
    data,
    layout: {
      ...layout, showlegend: true, height: height + below, margin: { ...margin, b: margin.b + below },
      // One entry a row, over the whole width: who opens a picture may have wider letters.
      legend: { orientation: "h", x: 0, xanchor: "left", y: -margin.b / inner, yanchor: "top", font: { size: 11 }, entrywidth: layout.width - 110 },
    },
  };
}

/** A panel as what the menu of Explore saves. */
function savedFigure(app, panel) {
  const runs = app.series.flatMap((one) => one.members.map((member) => member.run));
  const ids = runs.length <= 3 ? runs.map((run) => run.id).join("-") : `${runs.length}-runs`;
  return {
    title: panel.title, plot: panel.plot,
    origin: [`ratio ${app.state.r}`, ...runs.map((run) => `run ${run.name} (${run.id})`)],
    file: `compare-${ids}-${panel.id}-ratio-${app.state.r}`,
    figure: () => withLegend(panel.picture()),
    table: () => panel.table(),
  };
}

/** The menu that saves what a panel shows. */
export const figureSaveMenu = (app, panel) => saveMenu(
  app, () => panel.plot && savedFigure(app, panel), `compare-${panel.id}`, `Save the figure “${panel.title}”`);
