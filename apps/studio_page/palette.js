// The paintings: a click chooses one, its plus adds it to those that are mixed. The value is
// {tiles: [{key, title, src, fast}], chosen: {key: weight}, said}.
const tiles = element.querySelector(".tiles"), weights = element.querySelector(".weights");
const said = element.querySelector(".said");
function value() { return props.value || { tiles: [], chosen: {} }; }
function choose(chosen) { trigger("chosen", { chosen }); }
function make(kind, name, attributes) {
  const made = document.createElement(kind);
  made.className = name;
  for (const key of Object.keys(attributes || {})) { made.setAttribute(key, attributes[key]); }
  return made;
}
function tile(one) {
  const on = one.key in value().chosen, made = make("div", "tile" + (on ? " on" : ""));
  const button = make("button", "pick", { type: "button", "aria-pressed": on, title: one.title });
  button.append(make("img", "", { src: one.src, alt: one.title, loading: "lazy" }));
  button.addEventListener("click", () => choose({ [one.key]: 1 }));
  const more = make("button", "more", {
    type: "button", "aria-label": (on ? "without " : "mix with ") + one.title });
  more.textContent = on ? "−" : "+";
  more.addEventListener("click", () => {
    const chosen = { ...value().chosen };
    if (on) { delete chosen[one.key]; } else { chosen[one.key] = 1; }
    if (Object.keys(chosen).length) { choose(chosen); }
  });
  const title = make("span", "title");
  title.textContent = one.title;
  const alone = on && Object.keys(value().chosen).length === 1;
  made.append(button, title, ...(alone ? [] : [more]));
  return made;
}
function weight(one) {
  const made = make("label", "weight"), name = make("span", "");
  const slider = make("input", "", { type: "range", min: 0.1, max: 2, step: 0.1 });
  name.textContent = one.title;
  slider.value = value().chosen[one.key];
  slider.addEventListener("change", () => choose({
    ...value().chosen, [one.key]: Number(slider.value) }));
  made.append(name, slider);
  return made;
}
function own() {
  const made = make("label", "tile own", { title: "a painting of your own" });
  const input = make("input", "", { type: "file", accept: "image/*,.heic,.tif,.tiff" });
  const title = make("span", "title"), plus = make("span", "pick plus");
  title.textContent = "your own";
  plus.textContent = "+";
  async function bring(file) {
    if (!file) { return; }
    said.textContent = "";
    made.classList.add("busy");
    try {
      const found = await upload(file);
      trigger("brought", { path: found.path, name: file.name });
    } catch (error) {
      said.textContent = file.name + " did not arrive. Bring it again.";
    }
    made.classList.remove("busy");
  }
  input.addEventListener("change", () => { bring(input.files[0]); input.value = ""; });
  made.addEventListener("dragover", (event) => event.preventDefault());
  made.addEventListener("drop", (event) => {
    event.preventDefault();
    bring(event.dataTransfer.files[0]);
  });
  made.append(input, plus, title);
  return made;
}
function render() {
  const now = value(), on = now.tiles.filter((one) => one.key in now.chosen);
  tiles.replaceChildren(...now.tiles.map(tile), own());
  weights.replaceChildren(...(on.length > 1 ? on.map(weight) : []));
  said.textContent = now.said || "";
}
watch("value", render);
render();
