"use strict";
// Data comes as scripts that call atlas(name, data): a page from disk may load nothing else.
const known = {}, waiting = {};
function atlas(name, data) {
  known[name] = data;
  (waiting[name] || []).forEach(function (then) { then(data); });
  delete waiting[name];
  if (name === "index") { start(); }
}
function load(name, then) {
  if (known[name]) { then(known[name]); return; }
  if (waiting[name]) { waiting[name].push(then); return; }
  waiting[name] = [then];
  const script = document.createElement("script");
  script.src = "data/" + name + ".js";
  document.head.append(script);
}
// Text goes in as text: no name is ever markup.
function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  Object.entries(attributes || {}).forEach(function ([name, value]) {
    if (value !== null && value !== undefined) { made.setAttribute(name, value); }
  });
  made.append(...children.filter(function (one) { return one !== null && one !== undefined; }));
  return made;
}
function number(value, digits) {
  if (value === null || value === undefined) { return "none"; }
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en")
                                : value.toFixed(digits === undefined ? 2 : digits);
}
// An address: network, layer, and a unit or a word, each encoded, so that a / in a name is none.
function address(...parts) { return "#" + parts.map(encodeURIComponent).join("/"); }
function route() {
  return location.hash.slice(1).split("/").filter(Boolean).map(function (part) {
    try { return decodeURIComponent(part); } catch (error) { return part; }
  });
}
function networkOf(label) {
  return known.index.networks.find(function (one) { return one.label === label; });
}
function layerOf(network, path) {
  return network && network.layers.find(function (one) { return one.path === path; });
}
function otherOf(network) {
  return known.index.networks.find(function (one) { return one !== network; });
}
// The layer of the other network at the same place, which corresponds.
function besideOf(network, layer) {
  const other = otherOf(network);
  return other ? other.layers[network.layers.indexOf(layer)] : undefined;
}
function channel(layer, k) { return layer.numbers ? layer.numbers[k] : k; }
function place(layer, unit) {
  return layer.numbers ? layer.numbers.indexOf(unit) : (unit < layer.units ? unit : -1);
}
function classOf(layer, k) {
  const classes = layer.classes;
  return classes && classes.of[k] >= 0 ? classes.names[classes.of[k]] : "";
}
// Part k of a file of many pictures.
function part(file, size, k, columns, count) {
  const rows = Math.ceil(count / columns), row = Math.floor(k / columns), column = k % columns;
  const shown = el("span", { "class": "picture" + (size[0] < 40 ? " coarse" : "") });
  shown.style.aspectRatio = size[1] + " / " + size[0];
  shown.style.backgroundImage = "url(" + file + ")";
  shown.style.backgroundSize = 100 * columns + "% " + 100 * rows + "%";
  shown.style.backgroundPosition = (columns > 1 ? 100 * column / (columns - 1) : 0) + "% " +
                                   (rows > 1 ? 100 * row / (rows - 1) : 0) + "%";
  return shown;
}
function pictureOf(layer, k) {
  return part("pictures/" + layer.place + ".webp", layer.size, k, layer.columns, layer.units);
}
// What a unit saw of a photograph: [number, top, left, bottom, right in thousandths, activation].
// Of a spot that is a few pixels its surroundings are shown, with a frame around it.
const LEAST = 110;
function patchOf(spot) {
  const [photo, top, left, bottom, right] = spot;
  const side = Math.max(LEAST, bottom - top, right - left);
  function from(low, high) {
    return Math.max(0, Math.min(1000 - side, Math.round((low + high - side) / 2)));
  }
  const y = from(top, bottom), x = from(left, right);
  const shown = el("span", { "class": "patch" });
  function along(start) { return side < 1000 ? 100 * start / (1000 - side) + "%" : "0%"; }
  shown.style.backgroundImage = "url(photographs/" + photo + ".webp)";
  shown.style.backgroundSize = 100000 / side + "%";
  shown.style.backgroundPosition = along(x) + " " + along(y);
  if (side === LEAST) {
    shown.append(box((top - y) / side, (left - x) / side, (bottom - top) / side,
                     (right - left) / side));
  }
  return shown;
}
function box(top, left, height, width) {
  const frame = el("i");
  Object.assign(frame.style, { top: 100 * top + "%", left: 100 * left + "%",
                               height: 100 * height + "%", width: 100 * width + "%" });
  return frame;
}
function spotButton(spot) {
  const button = el("button", { type: "button", "aria-label": "the whole photograph" },
                    patchOf(spot));
  button.addEventListener("click", function () { load("photographs", function (names) {
    const [photo, top, left, bottom, right, value] = spot;
    const whole = el("div", { "class": "photograph" },
                     el("img", { src: "photographs/" + photo + ".webp", alt: names[photo] }),
                     box(top / 1000, left / 1000, (bottom - top) / 1000, (right - left) / 1000));
    const said = value === undefined ? "" : "; activation " + number(value, 1);
    document.querySelector(".whole").replaceChildren(
      whole, el("figcaption", {}, names[photo] + ", its centre; the frame is what the " +
                "unit sees" + said));
    document.querySelector("dialog").showModal();
  }); });
  return button;
}
