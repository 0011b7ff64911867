/** From loaded runs to series: names, joined points, and where each stands at the shared ratio. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const compare = (recede.compare = recede.compare || {});

  const MOST = 8; // more lines than that nobody tells apart

  const single = (value) => ({ mean: value, std: null, n: 1 });

  /** What names a series: the name of its run, or of several what they share and their number. */
  function nameOf(members) {
    if (members.length === 1) return members[0].run.name;
    const names = new Set(members.map((member) => member.run.name.replace(/,? ?seed \d+$/, "")));
    const { method, architecture, dataset } = members[0].run.spec;
    const shared = names.size === 1 ? [...names][0] : `${method} · ${architecture} · ${dataset}`;
    return `${shared}, ${members.length} seeds`;
  }

  /** @param {any[]} loaded @param {boolean} together whether seeds of one configuration are joined */
  function seriesOf(loaded, together) {
    const byRun = new Map(loaded.map((one) => [one.run, one]));
    const found = together
      ? compare.numbers.series(loaded.map((one) => one.run)).map(({ runs }) => runs.map((run) => byRun.get(run)))
      : loaded.map((one) => [one]);
    return found.slice(0, MOST).map((members, number) => {
      for (const member of members) member.dense = member.shape && recede.core.denseCost(member.shape);
      const curves = members.map((member) => member.points).filter((points) => points.length);
      const points = curves.length > 1
        ? compare.numbers.joined(curves)
        : (curves[0] || []).map((point) => ({ ...point, value: single(point.accuracy.value) }));
      return {
        number, members, points, name: nameOf(members), dense: members.find((one) => one.dense)?.dense || null,
        n: members.find((one) => one.points.length)?.points[0].accuracy.n || 100,
      };
    });
  }

  /** The exact cost of the shared ratio, by the importances; its accuracy between points. */
  function at(one, ratio) {
    const member = one.members.find((candidate) => candidate.ranking);
    if (!member) return null;
    const plan = { scope: member.scope, ratio };
    const selection = recede.core.select(member.ranking, plan);
    const read = (what) => compare.numbers.between(one.points, selection.ratio, what);
    return {
      ratio: selection.ratio, cost: recede.core.cost(member.shape, selection.kept),
      value: read((point) => point.value.mean), std: read((point) => point.value.std || 0),
      threshold: member.scope === "local" ? null : recede.core.thresholdFor(member.ranking, plan, ratio),
    };
  }

  Object.assign(compare, { seriesOf, at, MOST });
})();
