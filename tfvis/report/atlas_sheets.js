// All that has many units on it: the layers, a layer, its map, its pairs, what was searched.
function homeView() {
  const index = known.index;
  const units = index.networks.map(function (one) {
    return one.layers.reduce(function (sum, layer) { return sum + layer.units; }, 0);
  });
  const said = units.map(function (count, k) {
    return count.toLocaleString("en") + " units of " + index.networks[k].label;
  }).join(", ");
  const children = [
    el("h1", {}, index.title),
    el("p", {}, said + ": what each looks for, and which of " +
       index.pictures.toLocaleString("en") + " pictures excite it. A picture was found from " +
       "noise, as one on which its unit answers as much as it can."),
    el("p", { "class": "faint" }, "Which units a photograph of yours excites most: ",
       el("code", {}, "atlas --find=photo.jpg"), " of the same workdir."),
  ];
  index.networks.forEach(function (network) {
    children.push(el("h2", {}, network.label), el("div", { "class": "covers" },
      ...network.layers.map(function (layer) {
        const some = layer.units < layer.of ? " of " + layer.of : "";
        const field = layer.field ? ", each sees " + layer.field + " px" : "";
        return el("a", { "class": "cover", href: address(network.label, layer.path) },
          el("div", { "class": "frame" }, el("img", {
            src: "pictures/" + layer.place + "-cover.webp", alt: "", loading: "lazy" })),
          el("b", {}, layer.path),
          el("span", { "class": "faint" }, layer.units + some + " units" + field));
      })));
  });
  return children;
}
function unitLink(network, layer, k, ...caption) {
  const unit = channel(layer, k), said = classOf(layer, k);
  return el("li", {}, el("a", {
    href: address(network.label, layer.path, unit),
    title: layer.path + " " + unit + (said ? ": " + said : "") },
    pictureOf(layer, k), ...caption));
}
// The ways to look at a layer.
function tools(network, layer, now, ...more) {
  const ways = [["units", []]];
  if (layer.grid) { ways.push(["map", ["map"]]); }
  if (besideOf(network, layer)) { ways.push(["pairs", ["pairs"]]); }
  const links = ways.length < 2 ? [] : ways.map(function ([name, end]) {
    return el("a", { href: address(network.label, layer.path, ...end),
                     "aria-current": name === now ? "page" : null }, name);
  });
  const other = otherOf(network), beside = besideOf(network, layer);
  const across = beside ? [el("a", { href: address(other.label, beside.path,
                                                   ...(now === "units" ? [] : [now])) },
                              "in " + other.label)] : [];
  return el("div", { "class": "tools" }, ...links, ...more, ...across);
}
const ORDERS = {
  "by number": null,
  "by selectivity": function (layer, data, k) { return layer.classes.selectivity[k]; },
  "by activation, in times of photographs": function (layer, data, k) { return data.times[k]; },
  "by likeness to the other network": function (layer, data, k) {
    return data.best[k][1]; },
};
let order = "by number", wanted = "";
function chooser(label, names, value, chosen) {
  const select = el("select", { "aria-label": label }, ...names.map(function (name) {
    return el("option", { value: name }, name || "all classes");
  }));
  select.value = value;
  select.addEventListener("change", function () { chosen(select.value); draw(); });
  return select;
}
function layerView(network, layer, data) {
  const ways = Object.keys(ORDERS).filter(function (name) {
    return !(name === "by selectivity" && !layer.classes) &&
           !(name.startsWith("by likeness") && !data.best);
  });
  order = ways.includes(order) ? order : "by number";
  const names = layer.classes ? ["", ...layer.classes.names] : [""];
  wanted = names.includes(wanted) ? wanted : "";
  let units = data.units.map(function (unit, k) { return k; });
  if (wanted) { units = units.filter(function (k) { return classOf(layer, k) === wanted; }); }
  const key = ORDERS[order];
  if (key) {
    const worth = function (k) { const x = key(layer, data, k); return x === null ? -1e9 : x; };
    units.sort(function (a, b) { return worth(b) - worth(a); });
  }
  shownUnits = units.map(function (k) { return channel(layer, k); });
  const more = [chooser("order", ways, order, function (value) { order = value; })];
  if (names.length > 1) {
    more.push(chooser("class", names, wanted, function (value) { wanted = value; }));
  }
  const field = layer.field ? " Each sees " + layer.field + " px of a picture of 224." : "";
  return [
    el("h1", {}, layer.path),
    el("p", { "class": "faint" }, units.length + " units of " + network.label + "." + field +
       " Faint ones nothing has raised."),
    tools(network, layer, "units", ...more),
    el("ul", { "class": "sheet" }, ...units.map(function (k) {
      const link = unitLink(network, layer, k, String(channel(layer, k)));
      if (!data.raised[k]) { link.classList.add("silent"); }
      return link;
    })),
  ];
}
function pairsView(network, layer, data) {
  const other = otherOf(network), beside = besideOf(network, layer);
  const pairs = data.best.map(function (pair, k) { return [k, place(beside, pair[0]), ...pair]; })
    .filter(function (pair) { return pair[2] >= 0 && pair[1] >= 0; })
    .sort(function (a, b) { return b[3] - a[3]; });
  const alone = data.best.length - pairs.length;
  return [
    el("h1", {}, layer.path + ", unit by unit"),
    el("p", { "class": "faint" }, "On the left a unit of " + network.label + ", on the right the " +
       "one of " + other.label + " that answers most as it does, over the same places of the " +
       "same pictures (r), the most alike first." +
       (alone ? " Of " + alone + " there is none here." : "")),
    tools(network, layer, "pairs"),
    el("ul", { "class": "sheet pairs" }, ...pairs.map(function ([k, j, unit, r]) {
      return el("li", {}, el("a", { href: address(network.label, layer.path, channel(layer, k)) },
        el("span", { "class": "two" }, pictureOf(layer, k), pictureOf(beside, j)),
        channel(layer, k) + " and " + unit + ", r " + number(r)));
    })),
  ];
}
function oneMap(network, layer, data, choose) {
  const grid = data.grid, most = Math.max(...grid.cells.map(function (one) { return one.count; }));
  const map = el("div", { "class": "map" });
  map.style.gridTemplateColumns = "repeat(" + grid.side + ", 1fr)";
  map.style.gridTemplateRows = map.style.gridTemplateColumns;
  grid.cells.forEach(function (cell, k) {
    const shown = part("pictures/" + layer.place + "-grid.webp", layer.size, k, grid.columns,
                       grid.cells.length);
    const button = el("button", { type: "button", "aria-label": cell.count + " activations",
                                  "aria-pressed": "false" }, shown);
    // Larger where more activations lie.
    button.style.setProperty("--scale", 55 + 45 * Math.sqrt(cell.count / most) + "%");
    button.dataset.cell = cell.cell;
    button.style.gridArea = (Math.floor(cell.cell / grid.side) + 1) + " / " +
                            (cell.cell % grid.side + 1);
    button.addEventListener("click", function () {
      // Of two maps in both: it is the same places of the same pictures.
      document.querySelectorAll(".map button").forEach(function (one) {
        one.setAttribute("aria-pressed", String(one.dataset.cell === button.dataset.cell));
      });
      choose(network, layer, cell);
    });
    map.append(button);
  });
  return el("section", {}, el("h2", {}, network.label), el("div", { "class": "frame" }, map));
}
function mapView(network, layer, data) {
  const beside = besideOf(network, layer), both = Boolean(beside && beside.grid);
  const chosen = el("aside", { "class": "chosen", "aria-live": "polite" },
                    el("p", { "class": "faint" }, "Choose a cell: what of the pictures is there."));
  function choose(own, its, cell) {
    const units = cell.units.filter(function (unit) { return place(its, unit) >= 0; });
    const classes = its.classes && cell["class"] !== null
      ? [el("p", {}, Math.round(100 * cell.share) + " % of them are in pictures of " +
            its.classes.names[cell["class"]] + ".")] : [];
    chosen.replaceChildren(
      el("h2", {}, cell.count + " activations" + (both ? " of " + own.label : "")), ...classes,
      el("div", { "class": "spots" }, ...cell.spots.map(spotButton)),
      units.length ? el("p", { "class": "faint" }, "Units that answer more there than elsewhere:")
                   : "",
      el("div", { "class": "spots" }, ...units.map(function (unit) {
        return el("a", { href: address(own.label, its.path, unit) },
                  pictureOf(its, place(its, unit)), String(unit));
      })));
    chosen.scrollIntoView({ block: "nearest" });
  }
  const maps = el("div", { "class": "maps" + (both ? " both" : "") },
                  oneMap(network, layer, data, choose), chosen);
  if (both) {
    load(beside.place, function (its) {
      maps.insertBefore(oneMap(otherOf(network), beside, its, choose), chosen);
    });
  }
  return [
    el("h1", {}, layer.path + ", its activations"),
    el("p", { "class": "faint" }, "Activations at places of the pictures, like ones near each " +
       "other; of each cell a picture was found that goes in the direction of their mean (Carter " +
       "et al., Activation Atlas, 2019)." + (both ? " Both networks have one layout: the same " +
       "cell is the same places of the same pictures." : "")),
    tools(network, layer, "map"), maps,
  ];
}
// Every word must be in the layer's name, the class, the network's name, or be the number; one of
// a unit must be of itself.
const MOST = 240;
function searchView(text) {
  const words = text.toLowerCase().split(/[\s:,/]+/).filter(Boolean), units = [], layers = [];
  known.index.networks.forEach(function (network) { network.layers.forEach(function (layer) {
    const name = (network.label + " " + layer.path).toLowerCase();
    if (words.every(function (word) { return name.includes(word); })) {
      layers.push([network, layer]);
    }
    for (let k = 0; k < layer.units; k += 1) {
      const said = classOf(layer, k).toLowerCase(), unit = String(channel(layer, k));
      // One word at least is of the unit itself, or all of a layer's would be found by its name;
      // of "conv2 2" the number is in the name as well.
      function own(word) { return word === unit || (said && said.includes(word)); }
      if (words.some(own) &&
          words.every(function (word) { return own(word) || name.includes(word); })) {
        units.push([network, layer, k, layer.classes ? layer.classes.selectivity[k] || 0 : 0]);
      }
    }
  }); });
  units.sort(function (a, b) { return b[3] - a[3]; });
  const found = units.length + (units.length === 1 ? " unit" : " units");
  return [
    el("h1", {}, text),
    el("p", { "class": "faint" }, words.length
       ? found + (units.length > MOST ? ", of which the first " + MOST : "") +
         ", the most selective first"
       : "Words of a layer's name, a class, a number: block4 " + someClass()),
    el("div", { "class": "tools" }, ...(words.length ? layers : []).map(function ([one, layer]) {
      return el("a", { href: address(one.label, layer.path) }, one.label + " " + layer.path);
    })),
    el("ul", { "class": "sheet told" }, ...units.slice(0, MOST).map(function ([one, layer, k, how]) {
      const said = classOf(layer, k);
      const whose = known.index.networks.length > 1 || !said ? one.label : "";
      return unitLink(one, layer, k, layer.path + " " + channel(layer, k), el("br"),
                      whose + (whose && said ? ", " : "") + (said ? said + " " + number(how) : ""));
    })),
  ];
}
function someClass() {
  const classes = known.index.networks[0].layers[0].classes;
  return classes ? classes.names[0] : "24";
}
