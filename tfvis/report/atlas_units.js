// One unit: what it looks for, what it found, how it answers; and its partner beside it.
function bars(data, k) {
  const rows = data.histogram[k], made = [];
  data.domains.forEach(function (domain, d) {
    const total = rows[d].reduce(function (sum, count) { return sum + count; }, 0) || 1;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 " + 10 * rows[d].length + " 30");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", rows[d].join(", ") + " pictures");
    rows[d].forEach(function (count, b) {
      // By the root, or the few that excite it would not be seen beside the many that do not.
      const height = 30 * Math.sqrt(count / total);
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      Object.entries({ x: 10 * b + 1, y: 30 - height, width: 8, height: height })
        .forEach(function ([name, value]) { bar.setAttribute(name, value); });
      svg.append(bar);
    });
    made.push(el("span", {}, domain || "all pictures"), svg);
  });
  const ends = el("span", { "class": "axis" }, el("span", {}, number(data.lowest[k], 0)),
                  el("span", {}, number(data.largest[k], 1)));
  return el("div", {}, el("p", { "class": "faint" }, "Pictures by the most they excite it; heights " +
                                                   "are roots, so that a few are seen."),
            el("div", { "class": "bars" }, ...made, el("span", {}), ends));
}
function pathWords(path) {
  if (!path) { return "not told: too few photographs excite it"; }
  const said = number(path[0]) + ", of contributions " + number(path[1]) + " (1 as photographs " +
               "that excite it, 0 as any)";
  return path[2] ? said + ": takes another path than photographs, so the picture claims nothing of " +
                   "them" : said;
}
function unitCard(network, layer, data, k, note) {
  const unit = channel(layer, k), beside = besideOf(network, layer), best = data.best;
  const numbers = [];
  function tell(name, ...value) { numbers.push(el("dt", {}, name), el("dd", {}, ...value)); }
  tell("activation", data.raised[k]
    ? el("b", {}, number(data.activation[k], 1)) : "nothing raised it",
    data.times[k] ? ", " + number(data.times[k], 1) + " times the most of any picture" : "");
  const said = classOf(layer, k);
  if (said) {
    tell("answers most", el("a", { href: address("search", said) }, said),
         ", selectivity " + number(layer.classes.selectivity[k]));
  }
  if (known.index.paths !== false) { tell("path similarity", pathWords(data.path[k])); }
  if (best && best[k][0] >= 0) {
    const there = place(beside, best[k][0]), words = "unit " + best[k][0];
    tell("in " + otherOf(network).label,
         there < 0 ? words + ", which is not in this atlas" : el("a", { href: address(otherOf(network).label, beside.path,
                                                     best[k][0]) }, words),
         ", r " + number(best[k][1]));
  } else if (best) { tell("in " + otherOf(network).label, "none that is like it"); }
  const own = el("div", { "class": "frame" + (data.raised[k] ? "" : " silent") },
                 pictureOf(layer, k));
  const nine = data.top[k].length
    ? el("div", { "class": "nine" }, ...data.top[k].map(spotButton))
    : el("p", { "class": "faint" }, "No picture excites it.");
  return el("section", { "class": "unit" },
    el("h2", {}, network.label + ", unit " + unit),
    el("p", { "class": "faint" }, note),
    el("div", { "class": "look" }, own, nine),
    el("div", {}, el("dl", { "class": "numbers" }, ...numbers), bars(data, k)));
}
function unitView(network, layer, data, unit) {
  const k = place(layer, unit), beside = besideOf(network, layer), best = data.best;
  const there = best && best[k][0] >= 0 ? place(beside, best[k][0]) : -1;
  const sides = el("div", { "class": "sides" + (there >= 0 ? " both" : "") },
    unitCard(network, layer, data, k, "On the left what it looks for, on the right the spots " +
             "that excite it most."));
  if (there >= 0) {
    load(beside.place, function (its) {
      sides.append(unitCard(otherOf(network), beside, its, there, "The unit most like it, r " +
                            number(best[k][1]) + "."));
    });
  }
  return [
    el("h1", {}, layer.path + " " + unit), sides,
    el("p", { "class": "keys" }, el("kbd", {}, "\u2190"), " ", el("kbd", {}, "\u2192"),
       " the units before and after, ", el("kbd", {}, "\u2191"), " ", el("kbd", {}, "\u2193"),
       " the same number a layer up or down, ",
       ...(beside ? [el("kbd", {}, "x"), " the other network, "] : []),
       el("kbd", {}, "Esc"), " back to the layer, ", el("kbd", {}, "/"), " search"),
  ];
}
