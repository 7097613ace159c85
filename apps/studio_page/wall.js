// Pictures side by side, each with a title and a note; a click enlarges. The value is
// {cells: [{src, second, title, note}], bars: [{name, share, words}], words, share, many}.
const wall = element.querySelector(".studio-wall"), cells = element.querySelector(".cells");
const bars = element.querySelector(".bars");
function make(kind, name, text) {
  const made = document.createElement(kind);
  made.className = name;
  if (text) { made.textContent = text; }
  return made;
}
function picture(source, title) {
  const made = make("img", "");
  made.alt = title || "";
  made.src = source;
  made.tabIndex = 0;
  made.addEventListener("click", () => enlarge(source, title));
  made.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { enlarge(source, title); }
  });
  return made;
}
function enlarge(source, title) {
  const dialog = document.createElement("dialog");
  const image = make("img", "");
  image.src = source;
  image.alt = title || "";
  dialog.className = "studio-large";
  dialog.append(image, make("p", "", title));
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
// Cells that stay the same stay: what grows does not flicker.
function fill(cell, one) {
  const key = JSON.stringify(one);
  if (cell.dataset.key === key) { return; }
  cell.dataset.key = key;
  const pair = make("div", "pair" + (one.second === undefined ? "" : " two"));
  pair.append(one.src ? picture(one.src, one.title) : make("span", "blank"));
  if (one.second !== undefined) {
    pair.append(one.second ? picture(one.second, one.title) : make("span", "blank busy"));
  }
  cell.replaceChildren(pair, make("b", "", one.title), make("span", "note", one.note));
}
function render() {
  const value = props.value || {}, wanted = value.cells || [];
  wall.classList.toggle("live", typeof value.share === "number");
  wall.classList.toggle("many", wanted.length > 3);
  element.querySelector(".bar i").style.width = 100 * (value.share || 0) + "%";
  element.querySelector(".words").textContent = value.words || "";
  while (cells.children.length > wanted.length) { cells.lastChild.remove(); }
  while (cells.children.length < wanted.length) { cells.append(make("div", "cell")); }
  wanted.forEach((one, k) => fill(cells.children[k], one));
  bars.replaceChildren(...(value.bars || []).map((one) => {
    const row = make("div", "answer"), track = make("span", "track"), part = make("i", "");
    part.style.width = 100 * one.share + "%";
    track.append(part);
    row.append(make("b", "", one.name), track, make("span", "", one.words));
    return row;
  }));
}
watch("value", render);
render();
