// A place for a picture: drop, paste or choose one. Its value is {shown, said, hint}.
const input = element.querySelector("input");
const picture = element.querySelector("img");
const said = element.querySelector(".said");
const hint = element.querySelector(".hint");
const place = element.querySelector(".place");
function render() {
  const value = props.value || {};
  place.classList.toggle("full", Boolean(value.shown));
  place.classList.remove("busy");
  if (value.shown) { picture.src = value.shown; } else { picture.removeAttribute("src"); }
  said.textContent = value.said || "";
  hint.textContent = value.hint || "";
}
async function bring(file) {
  if (!file) { return; }
  said.textContent = "";
  if (file.size > 100 * 1024 * 1024) {
    said.textContent = file.name + " is larger than 100 MB. Save it smaller and bring it again.";
    return;
  }
  place.classList.add("busy");
  try {
    const found = await upload(file);
    trigger("brought", { path: found.path, name: file.name });
  } catch (error) {
    place.classList.remove("busy");
    said.textContent = file.name + " did not arrive. Bring it again.";
  }
}
input.addEventListener("change", () => { bring(input.files[0]); input.value = ""; });
for (const name of ["dragover", "dragenter"]) {
  place.addEventListener(name, (event) => { event.preventDefault(); place.classList.add("over"); });
}
place.addEventListener("dragleave", () => place.classList.remove("over"));
place.addEventListener("drop", (event) => {
  event.preventDefault();
  place.classList.remove("over");
  bring(event.dataTransfer.files[0]);
});
place.addEventListener("paste", (event) => bring(event.clipboardData.files[0]));
element.querySelector(".ours").addEventListener("click", (event) => {
  event.preventDefault();
  place.classList.add("busy");
  trigger("ours", {});
});
watch("value", render);
render();
