// The picture, over the photograph it is of: the line between them is pulled. Its value is
// {before, after, tag, words, share, links: [{href, title, file}], aspect}.
const stage = element.querySelector(".studio-stage");
const before = element.querySelector(".before"), after = element.querySelector(".after");
const cut = element.querySelector(".cut"), frame = element.querySelector(".frame");
let last = "";
function place() { frame.style.setProperty("--cut", cut.value + "%"); }
cut.addEventListener("input", place);
// A picture takes the place of another once it is there, so that nothing flickers.
function show(image, source) {
  if (!source) { image.removeAttribute("src"); return; }
  if (image.getAttribute("src") === source) { return; }
  const next = new Image();
  image.dataset.next = source;
  next.onload = () => { if (image.dataset.next === source) { image.src = source; } };
  next.src = source;
}
function render() {
  const value = props.value || {};
  stage.classList.toggle("none", !value.before);
  stage.classList.toggle("plain", !value.after);
  stage.classList.toggle("live", typeof value.share === "number");
  show(before, value.before);
  show(after, value.after);
  // A new picture is seen first as it is.
  if (value.first && value.after !== last) { cut.value = 0; }
  last = value.after;
  frame.style.setProperty("--aspect", value.aspect || 1.5);
  element.querySelector(".tag.right").textContent = value.tag || "";
  element.querySelector(".bar i").style.width = 100 * (value.share || 0) + "%";
  element.querySelector(".words").textContent = value.words || "";
  const links = element.querySelector(".links");
  links.replaceChildren(...(value.links || []).map((one) => {
    const link = document.createElement("a");
    link.href = one.href;
    link.textContent = one.title;
    link.download = one.file;
    return link;
  }));
  place();
}
watch("value", render);
render();
