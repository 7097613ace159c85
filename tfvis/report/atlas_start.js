// From the address to what is shown, and from keys to addresses.
const main = document.getElementById("main"), search = document.getElementById("search");
let shownUnits = [];
function start() {
  addEventListener("hashchange", draw);
  document.addEventListener("keydown", pressed);
  search.addEventListener("input", function () {
    location.replace(search.value.trim() ? address("search", search.value.trim()) : "#");
  });
  document.querySelector("dialog").addEventListener("click", function (event) {
    event.currentTarget.close();
  });
  draw();
}
function show(parts, title) {
  main.replaceChildren(...parts);
  document.title = title ? title + " - Atlas" : "Atlas of " + known.index.title;
}
function crumbs(parts) {
  const links = parts.map(function (part, k) {
    return k === 0 ? el("a", { href: "#" }, part)
                   : el("a", { href: address(...parts.slice(0, k + 1)) }, part);
  });
  document.getElementById("crumbs").replaceChildren(...links);
}
let drawn = "";
function draw() {
  const parts = route(), hash = location.hash, [label, path, end] = parts;
  const dialog = document.querySelector("dialog");
  if (dialog.open) { dialog.close(); }
  if (label === "search") {
    const text = parts.slice(1).join("/");
    if (document.activeElement !== search) { search.value = text; }
    crumbs([]);
    show(searchView(text), text);
    return;
  }
  search.value = "";
  const network = networkOf(label), layer = layerOf(network, path);
  crumbs(parts);
  if (!parts.length) { shownUnits = []; show(homeView(), ""); scrollTo(0, 0); return; }
  if (!layer) { missing(parts); return; }
  load(layer.place, function (data) {
    if (location.hash !== hash) { return; }
    const title = parts.slice(1).join(" ");
    if (end === undefined) { show(layerView(network, layer, data), title); }
    else if (end === "map" && data.grid) { show(mapView(network, layer, data), title); }
    else if (end === "pairs" && data.best) { show(pairsView(network, layer, data), title); }
    else if (/^\d+$/.test(end) && place(layer, Number(end)) >= 0) {
      show(unitView(network, layer, data, Number(end)), title);
    } else { missing(parts); }
    if (drawn !== hash) { scrollTo(0, 0); }
    drawn = hash;
  });
}
function missing(parts) {
  const network = networkOf(parts[0]);
  show(network && parts.length === 1 ? homeView() : [
    el("h1", {}, "Not in this atlas"),
    el("p", {}, parts.join(" / ") + " is no unit or layer here."),
    el("p", {}, el("a", { href: "#" }, "All layers")),
  ], "");
}
// The unit before or after: in the order of the layer's sheet, where that was seen.
function step(layer, unit, by) {
  const all = shownUnits.includes(unit) ? shownUnits
    : Array.from({ length: layer.units }, function (_, k) { return channel(layer, k); });
  return all[(all.indexOf(unit) + by + all.length) % all.length];
}
function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) { return; }
  const dialog = document.querySelector("dialog");
  if (dialog.open) {
    if (event.key === "Escape") { dialog.close(); }
    return;
  }
  if (event.target === search) { typed(event); return; }
  if (event.target.tagName === "SELECT") { return; }
  if (event.key === "/") { event.preventDefault(); search.focus(); search.select(); return; }
  const parts = route(), network = networkOf(parts[0]), layer = layerOf(network, parts[1]);
  if (event.key === "Escape") {
    if (parts.length) { location.hash = parts.length > 2 ? address(...parts.slice(0, 2)) : "#"; }
    return;
  }
  const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (layer && /^\d+$/.test(parts[2] || "")) {
    if (event.key === "x") { across(network, layer, Number(parts[2])); return; }
    if (!arrow[event.key]) { return; }
    event.preventDefault();
    const [by, down] = arrow[event.key], unit = Number(parts[2]);
    if (by) {
      location.replace(address(network.label, layer.path, step(layer, unit, by)));
    } else {
      const next = network.layers[network.layers.indexOf(layer) + down];
      if (next) {
        location.replace(address(network.label, next.path,
          place(next, unit) >= 0 ? unit : channel(next, next.units - 1)));
      }
    }
  } else if (arrow[event.key]) { among(arrow[event.key], event); }
}
function across(network, layer, unit) {
  load(layer.place, function (data) {
    const best = data.best && data.best[place(layer, unit)], beside = besideOf(network, layer);
    if (best && place(beside, best[0]) >= 0) {
      location.hash = address(otherOf(network).label, beside.path, best[0]);
    }
  });
}
// Arrows go among the links of a sheet, or the cells of a map, as they lie on the screen.
function among([by, down], event) {
  const all = Array.from(main.querySelectorAll(".sheet a, .cover, .map button"));
  if (!all.length) { return; }
  event.preventDefault();
  const now = all.indexOf(document.activeElement);
  if (now < 0) { all[0].focus(); return; }
  if (by) { (all[now + by] || all[now]).focus(); return; }
  const at = all[now].getBoundingClientRect();
  let best = null, least = Infinity;
  all.forEach(function (one) {
    const its = one.getBoundingClientRect(), rows = down * (its.top - at.top);
    const far = 4 * rows + Math.abs(its.left - at.left);
    if (rows > 1 && far < least) { best = one; least = far; }
  });
  if (best) { best.focus(); }
}
function typed(event) {
  if (event.key === "Escape") {
    search.value = "";
    search.blur();
    location.hash = "#";
  } else if (event.key === "Enter" || event.key === "ArrowDown") {
    // A number is meant to be a unit's; a word without one may be a layer's name.
    const first = (/(^|\s)\d+(\s|$)/.test(search.value) && main.querySelector(".sheet a")) ||
                  main.querySelector(".tools a, .sheet a");
    if (first) { event.preventDefault(); first.focus(); if (event.key === "Enter") { first.click(); } }
  }
}
